/** With what the manifests give and no more: a node with its capabilities, Entrance as an ordinary user that can't write. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  closeSync,
  constants,
  globSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, inject, test, vi } from "vitest";
import { parse } from "yaml";
import { root } from "../../infra/wrangler.ts";
import { type Backend, startBackend } from "../harness/backend.ts";
import { freePorts } from "../harness/free-ports.ts";
import { KEY, request, TestNode } from "../harness/node.ts";
import { greeting } from "../node/l4/client.ts";
import { tcpMember } from "../node/l4/members.ts";
import { applied, listening, stateOf } from "../node/l4/values.ts";
import { nodePorts } from "../node/launched.ts";
import { application } from "../node/values.ts";
import { chart } from "./rendered.ts";

const facts = inject("field");
const directory = "/var/lib/entrance-node-contained";
const workers = 2;
/** Whom every system knows, for the image's `entrance`. */
const nobody = 65_534;
/** As /proc writes it: real, effective, saved and of files. */
const onlyNobody = `${nobody}\t${nobody}\t${nobody}\t${nobody}`;
let backend: Backend;
let child: ChildProcess;
/** Where a container's runtime would read what is printed. */
let output: number;

beforeEach(async () => {
  backend = await startBackend("contained");
  mkdirSync(directory);
  chownSync(directory, nobody, nobody);
  // As the image has them.
  mkdirSync(path.join(directory, "logs"));
  symlinkSync("/dev/stdout", path.join(directory, "logs/access.log"));
  symlinkSync("/dev/stderr", path.join(directory, "logs/error.log"));
  chownSync(path.join(directory, "logs"), nobody, nobody);
  const fifo = path.join(directory, "output");
  execFileSync("mkfifo", ["-m", "600", fifo]);
  output = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  // As kubelet makes it for a hostPath.
  mkdirSync(path.join(directory, "state"));
});

afterEach(async () => {
  if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
  await backend.close();
  closeSync(output);
  rmSync(directory, { recursive: true, force: true });
});

test("a node starts, serves, changes its workers, and ends", async () => {
  const node = await contained();
  await node.apply(application("www.example", "www", [{ port: backend.port }]));
  expect((await node.get("www.example")).status).toBe(200);
  expect(statusOf(masterPid(), "CapEff")).not.toBe("000001ffffffffff");
  const first = await workersOtherThan([]);
  const files = globSync("state/**/*", { cwd: directory });
  expect(files.length).toBeGreaterThan(0);

  // Those of before may still answer for a moment.
  process.kill(masterPid(), "SIGHUP");
  await workersOtherThan(first);
  expect((await node.get("www.example")).status).toBe(200);
  await ends();
});

test("a node opens a port for connections, which takes another generation of its workers", async () => {
  const node = await contained();
  const first = await workersOtherThan([]);
  await using member = await tcpMember("db");
  const [port = 0] = await freePorts(1);
  await applied(node, listening("tcp", port, "db", [{ port: member.port }]));
  expect(await stateOf(node, `VirtualService/tcp/${port}`)).toEqual({ state: "open" });
  await workersOtherThan(first);
  expect(await greeting(port)).toBe("db");
  await ends();
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

/** A node with the capabilities of the DaemonSet and no others. */
async function contained(): Promise<TestNode> {
  const ports = { ...(await nodePorts()), http: 81, https: 444 };
  const capabilities = capabilitiesOf(path.join(chart, "node/daemon-set.yaml"));
  expect(capabilities).toContain("net_bind_service");
  const bounding = ["-all", ...capabilities.map((name) => `+${name}`)].join(",");
  const program = ["--no-new-privs", `--bounding-set=${bounding}`, "/opt/entrance-node/entrance-node"];
  const env = {
    PATH: `${path.dirname(process.execPath)}:${process.env["PATH"]}`,
    ENTRANCE_NODE_DIRECTORY: directory,
    ENTRANCE_NODE_KEY: KEY,
    // Below 1024.
    ENTRANCE_NODE_HTTP_PORT: String(ports.http),
    ENTRANCE_NODE_HTTPS_PORT: String(ports.https),
    ENTRANCE_NODE_ADMIN_PORT: String(ports.admin),
    ENTRANCE_NODE_HEALTH_PORT: String(ports.health),
    ENTRANCE_NODE_WAITING_PORT: String(ports.waiting),
    ENTRANCE_NODE_WORKERS: String(workers),
    ENTRANCE_NODE_MEMORY_MIB: "32",
  };
  child = spawn("setpriv", program, { env, detached: true, stdio: ["ignore", output, output] });
  await vi.waitFor(async () => expect((await request(ports.health, "/health")).status).toBe(200), { timeout: 15_000 });
  return new TestNode(directory, ports, { directory });
}

async function ends(): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  expect((await exited)[0]).toBe(0);
  const said = printed();
  expect(said).toMatch(/\[notice\]/);
  expect(said).not.toMatch(/\[(alert|emerg)\]/);
}

/** All of it, from whoever opened it by its name. */
function printed(): string {
  const bytes = Buffer.alloc(1024 * 1024);
  return bytes.toString("utf8", 0, readSync(output, bytes));
}

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

/** Of the master's children. */
function workerPids(): number[] {
  const master = masterPid();
  const said = readFileSync(`/proc/${master}/task/${master}/children`, "utf8").trim();
  return said === "" ? [] : said.split(" ").map(Number);
}

/** Until the master has as many as it was told, none of them one of these, and all of them nobody and no more. */
async function workersOtherThan(before: readonly number[]): Promise<number[]> {
  return vi.waitFor(
    () => {
      const found = workerPids();
      expect(found.filter((pid) => before.includes(pid))).toEqual([]);
      expect(found.map((pid) => statusOf(pid, "Uid"))).toEqual(Array(workers).fill(onlyNobody));
      return found;
    },
    { timeout: 20_000, interval: 20 },
  );
}

function statusOf(pid: number, field: string): string {
  const [, found = ""] = new RegExp(`^${field}:\\s*(.+)$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return found;
}
