/** A node with the capabilities of its manifest and no others, on a folder of the machine's: nothing that it does needs more. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, globSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, inject, test, vi } from "vitest";
import { parse } from "yaml";
import { type Backend, startBackend } from "../harness/backend.ts";
import { KEY, request, TestNode } from "../harness/node.ts";
import { nodePorts } from "../node/launched.ts";
import { application } from "../node/values.ts";
import { chart } from "./rendered.ts";

// Its network and its mounts are those of the cluster's tests.
inject("field");
const directory = "/var/lib/entrance-node-contained";
/** `nobody`, whom every system knows, for the image's `entrance`. */
const workers = 65_534;
let backend: Backend;
let child: ChildProcess;

beforeEach(async () => {
  backend = await startBackend("contained");
  mkdirSync(directory);
  chownSync(directory, workers, workers);
  // As kubelet makes it for a hostPath.
  mkdirSync(path.join(directory, "state"));
});

afterEach(async () => {
  if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
  await backend.close();
  rmSync(directory, { recursive: true, force: true });
});

test("it starts, serves, opens ports, and ends", async () => {
  const ports = await nodePorts();
  const capabilities = capabilitiesOf(path.join(chart, "node/daemon-set.yaml"));
  expect(capabilities).toContain("net_bind_service");
  const bounding = ["-all", ...capabilities.map((name) => `+${name}`)].join(",");
  const program = ["--no-new-privs", `--bounding-set=${bounding}`, "/opt/entrance-node/entrance-node"];
  const env = {
    PATH: `${path.dirname(process.execPath)}:${process.env["PATH"]}`,
    ENTRANCE_NODE_DIRECTORY: directory,
    ENTRANCE_NODE_KEY: KEY,
    // Below 1024.
    ENTRANCE_NODE_HTTP_PORT: "81",
    ENTRANCE_NODE_HTTPS_PORT: "444",
    ENTRANCE_NODE_ADMIN_PORT: String(ports.admin),
    ENTRANCE_NODE_HEALTH_PORT: String(ports.health),
    ENTRANCE_NODE_WAITING_PORT: String(ports.waiting),
    ENTRANCE_NODE_WORKERS: "2",
    ENTRANCE_NODE_MEMORY_MIB: "32",
  };
  child = spawn("setpriv", program, { env, detached: true, stdio: ["ignore", "ignore", "inherit"] });
  await vi.waitFor(async () => expect((await request(ports.health, "/health")).status).toBe(200), { timeout: 15_000 });

  const node = new TestNode(directory, { ...ports, http: 81, https: 444 }, { directory });
  await node.apply(application("www.example", "www", [{ port: backend.port }]));
  expect((await node.get("www.example")).status).toBe(200);
  const [, effective = ""] = /^CapEff:\s*(\S+)$/m.exec(readFileSync(`/proc/${masterPid()}/status`, "utf8")) ?? [];
  expect(effective).not.toBe("000001ffffffffff");
  expect([...new Set(workerUsers())]).toEqual(["nobody"]);
  const files = globSync("state/**/*", { cwd: directory });
  expect(files.length).toBeGreaterThan(0);

  // Another generation of workers, as a new port for connections needs it.
  process.kill(masterPid(), "SIGHUP");
  await vi.waitFor(async () => expect((await node.get("www.example")).status).toBe(200));
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  expect((await exited)[0]).toBe(0);
  expect(node.log()).not.toMatch(/\[(alert|emerg)\]/);
});

function capabilitiesOf(file: string): string[] {
  const { spec } = parse(readFileSync(file, "utf8")) as {
    spec: { template: { spec: { containers: { securityContext: { capabilities: { add: string[] } } }[] } } };
  };
  return (spec.template.spec.containers[0]?.securityContext.capabilities.add ?? []).map((name) => name.toLowerCase());
}

function masterPid(): number {
  return Number(readFileSync(path.join(directory, "logs/nginx.pid"), "utf8"));
}

function workerUsers(): string[] {
  const said = execFileSync("ps", ["-o", "user=", "--ppid", String(masterPid())], { encoding: "utf8" });
  return said.trim().split("\n");
}
