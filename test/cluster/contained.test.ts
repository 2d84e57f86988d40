/** With what the manifests give and no more: a node with its capabilities, Entrance as an ordinary user that can't write. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, globSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, inject, test, vi } from "vitest";
import { parse } from "yaml";
import { root } from "../../infra/wrangler.ts";
import { type Backend, startBackend } from "../harness/backend.ts";
import { freePorts } from "../harness/free-ports.ts";
import { KEY, request, TestNode } from "../harness/node.ts";
import { nodePorts } from "../node/launched.ts";
import { application } from "../node/values.ts";
import { chart } from "./rendered.ts";

const facts = inject("field");
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

test("a node starts, serves, opens ports, and ends", async () => {
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

test("Entrance starts, reaches its store, and ends, where it owns and may write nothing", async () => {
  const { spec } = parse(readFileSync(path.join(chart, "deployment.yaml"), "utf8")) as { spec: { template: Pod } };
  const { securityContext: pod, containers } = spec.template.spec;
  expect(pod.runAsNonRoot).toBe(true);
  expect(containers[0]?.securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  });
  const [port = 0] = await freePorts(1);
  const user = String(pod.runAsUser);
  // What the image has, and then no place that could be written.
  const script = `set -e
    mkdir -p /opt/contained/bin /opt/contained/node_modules
    cp /opt/entrance/*.js /opt/entrance/package.json /opt/contained
    mount --bind "$1" /opt/contained/bin && mount --bind "$2" /opt/contained/node_modules
    for place in / /opt /run /var/lib; do mount -o remount,bind,ro "$place"; done
    exec setpriv --reuid=${user} --regid=${user} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \\
      /opt/contained/bin/node --enable-source-maps /opt/contained/node.js`;
  const folders = [path.dirname(process.execPath), path.join(root, "node_modules")];
  const env = {
    PATH: process.env["PATH"] ?? "",
    ENTRANCE_LISTEN: `127.0.0.1:${port}`,
    ENTRANCE_STORE: "etcd",
    ENTRANCE_ETCD_ENDPOINTS: facts.store,
    ENTRANCE_ETCD_PREFIX: `contained-${process.pid}`,
  };
  const namespaces = ["--mount", "--propagation", "private"];
  child = spawn("unshare", [...namespaces, "sh", "-c", script, "sh", ...folders], {
    env,
    detached: true,
    stdio: ["ignore", "inherit", "inherit"],
  });
  await vi.waitFor(async () => expect((await request(port, "/readyz")).status).toBe(200), { timeout: 20_000 });
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  expect(status).toMatch(new RegExp(`^Uid:\\s+${user}\\s+${user}\\s`, "m"));
  expect(status).toMatch(/^CapBnd:\s+0+$/m);
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  expect((await exited)[0]).toBe(0);
});

interface Pod {
  readonly spec: {
    readonly securityContext: { readonly runAsNonRoot: boolean; readonly runAsUser: number };
    readonly containers: readonly { readonly securityContext: unknown }[];
  };
}

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
