/** HTTPS with files that somebody else replaces, as cert-manager and kubelet do, while Entrance serves. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { root } from "../../infra/wrangler.ts";
import { makeCertificate, type Pair } from "../harness/certificate.ts";
import { freePorts } from "../harness/node.ts";

const patience = { timeout: 20_000 };
const name = "entrance.entrance.svc";
let folder: string;
let port: number;
let child: ChildProcess | undefined;
let said = "";

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "entrance-serving-"));
  [port = 0] = await freePorts(1);
  said = "";
});

afterEach(async () => {
  if (child !== undefined && child.exitCode === null) {
    child.kill("SIGTERM");
    await once(child, "exit");
  }
  rmSync(folder, { recursive: true, force: true });
});

test("a new pair serves without a restart, and half of one changes nothing until the other half is there", async () => {
  const [first, second] = [makeCertificate([name]), makeCertificate([name])];
  write(first);
  start();
  await expect.poll(() => trusts(first), patience).toBe(true);
  expect(await trusts(second)).toBe(false);

  // Between two writes of whoever replaces them.
  writeFileSync(path.join(folder, "tls.crt"), second.chain);
  child?.kill("SIGHUP");
  await expect.poll(() => said, patience).toMatch(/entrance: its certificate: .*mismatch/);
  expect(await trusts(first)).toBe(true);

  write(second);
  child?.kill("SIGHUP");
  await expect.poll(() => trusts(second), patience).toBe(true);
  expect(await trusts(first)).toBe(false);
  expect(said).not.toContain("PRIVATE KEY");
});

test("a file that is not there is named, with its setting", async () => {
  start();
  const [code] = await once(child as ChildProcess, "exit");
  expect(code).toBe(1);
  expect(said).toContain(`ENTRANCE_TLS_CERT names ${path.join(folder, "tls.crt")}, which is not there`);
});

function write({ chain, key }: Pair): void {
  writeFileSync(path.join(folder, "tls.crt"), chain);
  writeFileSync(path.join(folder, "tls.key"), key);
}

function start(): void {
  const env = {
    PATH: process.env["PATH"] ?? "",
    ENTRANCE_LISTEN: `127.0.0.1:${port}`,
    ENTRANCE_DATA: path.join(folder, "store"),
    ENTRANCE_TLS_CERT: path.join(folder, "tls.crt"),
    ENTRANCE_TLS_KEY: path.join(folder, "tls.key"),
  };
  child = spawn(process.execPath, [path.join(root, "functions/node.ts")], { env, stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
}

/** Whether it serves with this very certificate. */
function trusts({ chain }: Pair): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ host: "127.0.0.1", port, path: "/healthz", servername: name, ca: chain, agent: false });
    asked.on("response", (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.on("error", () => resolve(false));
    asked.end();
  });
}
