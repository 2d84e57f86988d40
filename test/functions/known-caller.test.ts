/** A certificate whose time runs out while its connection is kept. */
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { Agent, createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { isKnownCaller } from "../../functions/known-caller.ts";
import { Authority } from "../cluster/authority.ts";
import { makeCertificate } from "../harness/certificate.ts";

const dayMs = 86_400_000;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "entrance-known-"));
  vi.useFakeTimers({ toFake: ["Date"] });
});

afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

test("from then on its caller is nobody", async () => {
  const authority = new Authority(folder, "ours");
  const issued = authority.issue("/CN=kube-apiserver");
  const { chain, key } = makeCertificate(["localhost"]);
  const settings = { cert: chain, key, ca: authority.pem(), requestCert: true, rejectUnauthorized: false };
  const server = createServer(settings, (incoming, outgoing) =>
    outgoing.end(isKnownCaller({ incoming, outgoing }) ? "known" : "nobody"),
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = async () => {
    const { port } = server.address() as AddressInfo;
    const pair = { cert: readFileSync(issued.certificate), key: readFileSync(issued.key) };
    const asked = request({ host: "127.0.0.1", port, agent, rejectUnauthorized: false, ...pair }).end();
    const [answer] = await once(asked, "response");
    return `${await text(answer)} ${asked.reusedSocket ? "again" : "first"}`;
  };
  try {
    expect([await ask(), await ask()]).toEqual(["known first", "known again"]);
    vi.setSystemTime(Date.now() + 3 * dayMs);
    expect(await ask()).toBe("nobody again");
  } finally {
    agent.destroy();
    server.close();
  }
});

test.each([[undefined], [{}], [{ incoming: { socket: { authorized: true } } }]])(
  "what another host hands over makes nobody known: %j",
  (environment) => {
    expect(isKnownCaller(environment)).toBe(false);
  },
);
