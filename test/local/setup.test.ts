/** What is there is not installed again, and what is missing is told with what to type. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Missing } from "../../infra/local/setup/missing.mjs";
import { isInstalled } from "../../infra/local/setup/node-modules.mjs";
import { missingPackages } from "../../infra/local/setup/system-packages.mjs";

let root: string;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "entrance-local-"));
  mkdirSync(path.join(root, "node_modules"));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

function lock(file: string, packages: Record<string, unknown>): void {
  writeFileSync(path.join(root, file), JSON.stringify({ packages: { "": { name: "entrance" }, ...packages } }));
}

const wanted = {
  "node_modules/hono": { version: "1.0.0" },
  "node_modules/of-another-platform": { version: "1.0.0", optional: true },
};

test("packages are installed when npm's own note says what the lock says", () => {
  lock("package-lock.json", wanted);
  expect(isInstalled(root)).toBe(false);
  lock("node_modules/.package-lock.json", { "node_modules/hono": { version: "1.0.0" } });
  expect(isInstalled(root)).toBe(true);
  lock("node_modules/.package-lock.json", { "node_modules/hono": { version: "0.9.0" } });
  expect(isInstalled(root)).toBe(false);
  lock("node_modules/.package-lock.json", {});
  expect(isInstalled(root)).toBe(false);
});

test("a note cut off in the middle counts as nothing installed", () => {
  lock("package-lock.json", wanted);
  writeFileSync(path.join(root, "node_modules/.package-lock.json"), '{"packages": {');
  expect(isInstalled(root)).toBe(false);
});

test("a checkout without its lock is told how to get it back", () => {
  expect(() => isInstalled(root)).toThrow("git checkout package-lock.json");
});

test("where there is no dpkg, it says what to install by hand", () => {
  vi.stubEnv("PATH", root);
  expect(() => missingPackages(["lint", "load"])).toThrow(Missing);
  expect(() => missingPackages(["lint", "load"])).toThrow("luacheck (luarocks install luacheck), wrk");
});

test("a program that is on the PATH is not asked for", () => {
  for (const program of ["openresty", "luacheck", "wrk"]) {
    writeFileSync(path.join(root, program), "", { mode: 0o755 });
  }
  vi.stubEnv("PATH", root);
  expect(missingPackages(["node", "lint", "load"])).toEqual([]);
});
