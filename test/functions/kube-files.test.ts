/** Files by which the Kubernetes API is reached, while somebody replaces them: half of what is new ends nothing. */
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TLSSocket } from "node:tls";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readConfig } from "../../functions/config.ts";
import { openKubeAccess } from "../../functions/kube-files.ts";
import type { Access } from "../../shared/kubernetes/access.ts";
import { type CertificateParts, makeCertificate, type Pair } from "../harness/certificate.ts";

let folder: string;
let servers: Server[];
let warned: ReturnType<typeof vi.spyOn>;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "entrance-kube-files-"));
  servers = [];
  warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
});

afterEach(() => {
  warned.mockRestore();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(folder, { recursive: true, force: true });
});

/** An API that says whose certificate it was shown. */
async function startApi({ chain, key }: Pair): Promise<number> {
  const options = { cert: chain, key, requestCert: true, rejectUnauthorized: false };
  const server = createServer(options, ({ socket }, response) => {
    response.end((socket as TLSSocket).getPeerCertificate().subject?.CN ?? "nobody");
  });
  servers.push(server);
  server.listen(0, "localhost");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function write(name: string, text: string): string {
  writeFileSync(path.join(folder, name), text);
  return path.join(folder, name);
}

function open(port: number, authorities: string, client: Pair): Access {
  const { kubernetes } = readConfig({
    ENTRANCE_KUBE_API: `https://localhost:${port}`,
    ENTRANCE_KUBE_CA: write("ca.crt", authorities),
    ENTRANCE_KUBE_CERT: write("client.crt", client.chain),
    ENTRANCE_KUBE_KEY: write("client.key", client.key),
    ENTRANCE_KUBE_TOKEN_FILE: write("token", "a-token"),
  });
  const access = kubernetes === undefined ? undefined : openKubeAccess(kubernetes);
  if (access === undefined) throw new Error("no access");
  return access;
}

/** Whom the API sees, after the files were read again. */
async function seen(access: Access): Promise<string> {
  await access.token(true);
  try {
    return await (await access.fetch(access.url, {})).text();
  } catch (error) {
    return String(error instanceof Error ? error.cause : error);
  }
}

const client = (name: string, parts: CertificateParts = {}) => makeCertificate([name], parts);

test.each<[string, Pair, readonly [string, (pair: Pair) => string]]>([
  ["the certificate first", client("new"), ["client.crt", ({ chain }) => chain]],
  ["the key first", client("new"), ["client.key", ({ key }) => key]],
  ["a key of another kind", client("new", { key: "rsa:2048" }), ["client.key", ({ key }) => key]],
  ["a certificate that is half written", client("new"), ["client.crt", ({ chain }) => chain.slice(0, 200)]],
  ["a key that is emptied", client("new"), ["client.key", () => ""]],
])("a client's new pair is used when both halves are there: %s", async (_, next, [file, half]) => {
  const api = makeCertificate(["localhost"]);
  const access = open(await startApi(api), api.chain, client("old"));
  expect(await seen(access)).toBe("old");

  write(file, half(next));
  expect(await seen(access)).toBe("old");
  expect(warned.mock.calls.join()).toMatch(/entrance: ENTRANCE_KUBE_(CERT|KEY) .*: what was read before is used on/);
  expect(warned.mock.calls.join()).not.toContain("PRIVATE KEY-----");
  // Which holds up no token.
  write("token", "another-token");
  expect((await access.token(true))?.reveal()).toBe("another-token");

  write("client.crt", next.chain);
  write("client.key", next.key);
  expect(await seen(access)).toBe("new");
});

test("new authorities are trusted when all of them can be read", async () => {
  const [first, second] = [makeCertificate(["localhost"]), makeCertificate(["localhost"])];
  const one = open(await startApi(first), first.chain, client("one"));
  expect(await seen(one)).toBe("one");
  // A context takes what it can read of it, which would be nobody, or the first.
  for (const half of [second.chain.slice(0, 200), second.chain + first.chain.slice(0, 200)]) {
    write("ca.crt", half);
    expect(await seen(one)).toBe("one");
    expect(warned.mock.calls.join()).toContain("ENTRANCE_KUBE_CA must be PEM certificates that can be read");
  }
  const other = await startApi(second);
  write("ca.crt", first.chain + second.chain);
  expect(await seen(one)).toBe("one");
  const toOther = open(other, first.chain + second.chain, client("two"));
  expect(await seen(toOther)).toBe("two");
});

test("what does not fit from the beginning is told by the settings' names", async () => {
  const [api, one, other] = [makeCertificate(["localhost"]), client("one"), client("other")];
  expect(() => open(1, api.chain, { ...one, key: other.key })).toThrow(
    /^ENTRANCE_KUBE_CERT and ENTRANCE_KUBE_KEY must hold a certificate and its key, without a password, as PEM$/,
  );
  // One file may hold both, as kubelet's does.
  const both = one.chain + one.key;
  expect(await seen(open(await startApi(api), api.chain, { chain: both, key: both }))).toBe("one");
});
