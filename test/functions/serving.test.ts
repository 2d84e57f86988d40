/** HTTPS with files that somebody else replaces, as cert-manager and kubelet do, while Entrance serves. */
import { execFileSync } from "node:child_process";
import type { ClientRequest } from "node:http";
import { Agent, request } from "node:https";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeCertificate, type Pair } from "../harness/certificate.ts";
import { SecureEntrance } from "../harness/secure-entrance.ts";

const patience = { timeout: 20_000 };
const name = "entrance.entrance.svc";
let entrance: SecureEntrance;

beforeEach(async () => {
  entrance = await SecureEntrance.prepare();
});

afterEach(() => entrance.remove());

test("a new pair serves without a restart, and half of one changes nothing until the other half is there", async () => {
  const [first, second] = [makeCertificate([name]), makeCertificate([name])];
  write(first);
  start();
  await expect.poll(() => trusts(first), patience).toBe(true);
  expect(await trusts(second)).toBe(false);

  // Between two writes of whoever replaces them.
  entrance.write("tls.crt", second.chain);
  entrance.signal("SIGHUP");
  await expect.poll(() => entrance.said, patience).toMatch(/entrance: its certificate: .*must hold a certificate and/);
  expect(await trusts(first)).toBe(true);

  // Whoever writes into a file empties it first.
  entrance.write("tls.crt", "");
  entrance.signal("SIGHUP");
  await expect.poll(() => entrance.said, patience).toContain("ENTRANCE_TLS_CERT names something that is no PEM");
  expect(await trusts(first)).toBe(true);

  write(second);
  entrance.signal("SIGHUP");
  await expect.poll(() => trusts(second), patience).toBe(true);
  expect(await trusts(first)).toBe(false);
  expect(entrance.said).not.toContain("PRIVATE KEY");
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
  entrance.signal("SIGTERM");
  const code = await entrance.ended();
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
  expect(await entrance.ended()).toBe(1);
  expect(entrance.said).toContain(`ENTRANCE_TLS_CERT names ${entrance.path("tls.crt")}, which is not there`);
});

const pair = makeCertificate([name]);
const others = makeCertificate([name]);
const sentence =
  "ENTRANCE_TLS_CERT and ENTRANCE_TLS_KEY must hold a certificate and its key, without a password, as PEM";
const locked = execFileSync("openssl", ["pkey", "-aes256", "-passout", "pass:a"], {
  input: pair.key,
  encoding: "utf8",
});

test.each<[string, Pair, string]>([
  ["an empty certificate", { ...pair, chain: "" }, "ENTRANCE_TLS_CERT names something that is no PEM"],
  ["an empty key", { ...pair, key: "" }, "ENTRANCE_TLS_KEY names something that is no PEM"],
  ["a certificate that is no PEM", { ...pair, chain: "hidden" }, "ENTRANCE_TLS_CERT names something that is no PEM"],
  ["a certificate that is cut off", { ...pair, chain: pair.chain.slice(0, 200) }, sentence],
  ["an intermediate that is cut off", { ...pair, chain: pair.chain + others.chain.slice(0, 200) }, sentence],
  ["another's key", { ...pair, key: others.key }, sentence],
  ["a key of another kind", { ...pair, key: makeCertificate([name], { key: "rsa:2048" }).key }, sentence],
  ["a key with a password", { ...pair, key: locked }, sentence],
  ["one in place of the other", { chain: pair.key, key: pair.chain }, sentence],
])("%s is told in one sentence, with its setting, before anything is served", async (_, unusable, told) => {
  write(unusable);
  start();
  expect(await entrance.ended()).toBe(1);
  expect(entrance.said).toBe(`entrance: ${told}\n`);
});

function write({ chain, key }: Pair): void {
  entrance.write("tls.crt", chain);
  entrance.write("tls.key", key);
}

function start(): void {
  entrance.start({ ENTRANCE_TLS_CERT: entrance.path("tls.crt"), ENTRANCE_TLS_KEY: entrance.path("tls.key") });
}

/** A request that trusts this certificate alone. */
function healthz({ chain }: Pair, agent: Agent | false): ClientRequest {
  return request({ host: "127.0.0.1", port: entrance.port, path: "/healthz", servername: name, ca: chain, agent });
}

/** Whether it serves with this very certificate. */
function trusts(pair: Pair): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = healthz(pair, false);
    asked.on("response", (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.on("error", () => resolve(false));
    asked.end();
  });
}

/** The status and what becomes of the connection, or why there is no answer. */
function ask(pair: Pair, agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    const asked = healthz(pair, agent);
    asked.on("response", (answer) => {
      answer.resume();
      answer.on("end", () => resolve(`${answer.statusCode} ${answer.headers.connection}`));
    });
    asked.on("error", (error) => resolve(`${asked.reusedSocket ? "kept" : "new"}: ${error.message}`));
    asked.end();
  });
}
