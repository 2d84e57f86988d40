/** HTTPS with files that somebody else replaces, as cert-manager and kubelet do, while Entrance serves. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { root } from "../../infra/wrangler.ts";
import { makeCertificate, type Pair } from "../harness/certificate.ts";
import { freePorts } from "../harness/free-ports.ts";

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

test("whoever keeps connections loses no request when it ends: each is closed with an answer", async () => {
  const pair = makeCertificate([name]);
  write(pair);
  start();
  await expect.poll(() => trusts(pair), patience).toBe(true);
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const answers: string[] = [];
  let isOver = false;
  const asking = Array.from({ length: 8 }, async () => {
    while (!isOver) answers.push(await ask(pair, agent));
  });
  await expect.poll(() => answers.length, patience).toBeGreaterThan(50);
  child?.kill("SIGTERM");
  const [code] = await once(child as ChildProcess, "exit");
  isOver = true;
  await Promise.all(asking);
  agent.destroy();
  expect(code).toBe(0);
  // Kept, then each answer closes, then nobody listens: never a kept connection that ends under a request.
  expect(answers).toContain("200 keep-alive");
  expect(answers).toContain("200 close");
  expect(answers.filter((answer) => answer.startsWith("kept: "))).toEqual([]);
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

/** The status and what becomes of the connection, or why there is no answer. */
function ask({ chain }: Pair, agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    const asked = request({ host: "127.0.0.1", port, path: "/healthz", servername: name, ca: chain, agent });
    asked.on("response", (answer) => {
      answer.resume();
      answer.on("end", () => resolve(`${answer.statusCode} ${answer.headers.connection}`));
    });
    asked.on("error", (error) => resolve(`${asked.reusedSocket ? "kept" : "new"}: ${error.message}`));
    asked.end();
  });
}
