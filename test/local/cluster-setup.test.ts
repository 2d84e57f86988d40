/** Whoever can't run the tests on a cluster is told what to type. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { root } from "../../infra/wrangler.ts";

const main = path.join(root, "test/cluster/main.ts");
const programs = ["etcd", "etcdctl", "etcdutl", "helm", "kubectl", "kube-apiserver", "kube-controller-manager"];
const isRoot = process.getuid?.() === 0;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "entrance-cluster-setup-"));
  chmodSync(folder, 0o755);
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function program(within: string, name: string, text: string): void {
  mkdirSync(path.join(folder, within), { recursive: true });
  writeFileSync(path.join(folder, within, name), text, { mode: 0o755 });
}

/** Nothing is built, and of the programs on this machine only the system's are found. `as`: setpriv(1)'s words. */
function started(env: Readonly<Record<string, string>>, as: readonly string[] = []) {
  const command = [...(isRoot ? as : []), process.execPath, main];
  const { status, stderr } = spawnSync(command[0] ?? "", command.slice(1), {
    encoding: "utf8",
    env: { PATH: `${folder}/bin:/usr/bin:/bin:/usr/sbin:/sbin`, XDG_CACHE_HOME: path.join(folder, "cache"), ...env },
  });
  expect(status).toBe(1);
  return stderr;
}

function given(): Record<string, string> {
  for (const name of programs) program("assets", name, "");
  return { KUBEBUILDER_ASSETS: path.join(folder, "assets") };
}

test("a Go that is missing, and one that is too old, are named with what to install", () => {
  program("bin", "go", "#!/bin/sh\nexit 127\n");
  expect(started({})).toMatch(/^\s*Go is not installed.*Install Go 1\.26 or newer.*go\.dev\/doc\/install/);
  program("bin", "go", "#!/bin/sh\nprintf 'go1.20.3\\nauto\\n'\n");
  expect(started({})).toMatch(/Go 1\.26 or newer is needed; this is go1\.20\.3\. Install/);
  // It could fetch a newer one by itself, and may not.
  program("bin", "go", "#!/bin/sh\nprintf 'go1.25.1\\nlocal\\n'\n");
  const said = started({});
  expect(said).toMatch(/Go 1\.26 or newer is needed; this is go1\.25\.1\./);
  for (const name of programs) expect(said).toContain(name);
});

test("programs that somebody has already are not built; who is not root is told how to be", () => {
  const said = started(given(), ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]);
  expect(said).toContain("A network of its own can be made by root alone. Type:");
  expect(said).toContain(`sudo env PATH="$PATH" XDG_CACHE_HOME=${folder}/cache npm run test:cluster`);
});

test("where not even root makes namespaces, that is said", () => {
  const said = started(given(), ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"]);
  if (isRoot) expect(said).toMatch(/Namespaces can't be made here \(.*[Nn]ot permitted.*capability SYS_ADMIN/);
  else expect(said).toContain("A network of its own can be made by root alone");
});
