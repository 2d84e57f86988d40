// Certificates that can't be used: refused with a reason, harming no other, and what served before goes on serving.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeCertificate, type Pair } from "../../harness/certificate.ts";
import { requestTls } from "../../harness/https.ts";
import { startNode, type TestNode } from "../../harness/node.ts";
import { certificate, domain, pool } from "../values.ts";

const good = makeCertificate(["good.example"]);
const other = makeCertificate(["other.example"]);
const expired = makeCertificate(["old.example"], { until: "20210203040506Z" });
const small = makeCertificate(["small.example"], { key: "rsa:1024" });
const soon = new Date(Date.now() + 5 * 86_400_000).toISOString();
const ending = makeCertificate(["soon.example"], { until: `${soon.replace(/[-T:]|\..*/g, "")}Z` });

let node: TestNode;
beforeAll(async () => {
  node = await startNode();
});
afterAll(async () => {
  expect(node.log()).not.toMatch(/\[(alert|emerg|crit|error)\]/);
  await node.stop();
});

async function presented(host: string): Promise<string> {
  return (await requestTls(node.ports.https, host)).certificate.subject;
}

async function reasons(pair: Pair, more: Readonly<Record<string, unknown>> = {}): Promise<string[]> {
  const notAfter = "2036-11-19T10:21:40Z";
  const rejected = await node.apply([
    { key: "Certificate/shop/tried", value: { ...pair, names: [], notAfter, ...more } },
    certificate("good", good),
    domain("good.example", ["good"]),
  ]);
  return rejected.map(({ reason }) => reason);
}

const encrypted = `-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n`;
const broken = good.chain.replace(/[A-Za-z]{20}/, "AAAAAAAAAAAAAAAAAAAA");

test.each<[string, Pair, RegExp]>([
  ["another's key", { ...good, key: other.key }, /^key does not belong to the first certificate of the chain/],
  ["an expired one", expired, /^the certificate expired on 2021-02-03T04:05:06Z: send a renewed one$/],
  ["a key that is too small", small, /^OpenSSL does not take this certificate \(ee key too small\): make another/],
  ["garbage for a chain", { ...good, chain: "not PEM" }, /^chain is no PEM certificate chain/],
  ["garbage within PEM", { ...good, chain: broken }, /^chain is no PEM certificate chain|^key does not belong/],
  ["a key in place of the chain", { ...good, chain: good.key }, /^chain is no PEM certificate chain/],
  ["an empty chain", { ...good, chain: "" }, /^chain must be a PEM text of at most/],
  ["a huge chain", { ...good, chain: good.chain.repeat(300) }, /^chain must be a PEM text of at most 131072 bytes$/],
  ["a long chain", { ...good, chain: good.chain.repeat(17) }, /^the chain has more than 16 certificates$/],
  ["garbage for a key", { ...good, key: "not PEM" }, /^key is no PEM private key$/],
  ["a key with NULs", { ...good, key: `\0${good.key}` }, /^key is no PEM private key$/],
  ["a certificate in place of the key", { ...good, key: good.chain }, /^key is no PEM private key$/],
  ["a key with a passphrase", { ...good, key: encrypted }, /^key has a passphrase: take it off/],
])("%s", async (_, pair, reason) => {
  const [only, ...others] = await reasons(pair);
  expect(only).toMatch(reason);
  expect(others).toEqual([]);
  expect(await presented("good.example")).toBe("CN=good.example");
});

test("names and time are checked, too", async () => {
  expect(await reasons(good, { names: "good.example" })).toEqual(["names must be a list of at most 1000"]);
  expect(await reasons(good, { notAfter: "tomorrow" })).toEqual([expect.stringContaining("notAfter must be a time")]);
  expect(await reasons(good, { chain: 1 })).toEqual([expect.stringContaining("chain must be a PEM text")]);
});

describe("what served before", () => {
  test("goes on serving, over a restart too, until a usable one comes", async () => {
    await node.apply([certificate("kept", good), domain("kept.example", ["kept"])]);
    const bad = certificate("kept", { ...good, key: other.key });
    expect(await node.apply([bad])).toHaveLength(1);
    expect(await presented("kept.example")).toBe("CN=good.example");
    for (const _ of [1, 2]) {
      await node.restart(); // first from the journal, then from a snapshot file
      expect(await presented("kept.example")).toBe("CN=good.example");
      expect((await node.state()).rejected).toContainEqual({
        key: bad.key,
        reason: expect.stringMatching(/not belong/),
      });
      node.sender.revision += 1;
      expect((await node.put(node.sender.snapshot())).status).toBe(200);
    }
    expect(await node.apply([certificate("kept", other)])).toEqual([]);
    expect(await presented("kept.example")).toBe("CN=other.example");
    expect((await node.state()).rejected.map(({ key }) => key)).not.toContain(bad.key);
  });

  test("nothing served before: the name has none", async () => {
    await node.apply([certificate("never", expired), domain("never.example", ["never"])]);
    await expect(presented("never.example")).rejects.toThrow(/alert handshake failure/);
    await node.restart();
    await expect(presented("never.example")).rejects.toThrow(/alert handshake failure/);
  });

  test("its removal ends it", async () => {
    await node.apply([certificate("gone", good), domain("gone.example", ["gone"])]);
    expect(await presented("gone.example")).toBe("CN=good.example");
    await node.apply([{ key: "Certificate/shop/gone", value: null }]);
    await expect(presented("gone.example")).rejects.toThrow(/alert handshake failure/);
  });
});

test("what ends soon is listed, while it serves", async () => {
  await node.apply([certificate("ending", ending), domain("soon.example", ["ending"])]);
  expect(await presented("soon.example")).toBe("CN=soon.example");
  const listed = { key: "Certificate/shop/ending", notAfter: `${soon.slice(0, 19)}.000Z` };
  expect((await node.state()).certificates).toContainEqual(listed);
  await node.restart();
  expect((await node.state()).certificates).toContainEqual(listed);
  await node.apply([{ key: listed.key, value: null }]);
  expect((await node.state()).certificates).not.toContainEqual(listed);
});

test("no key is shown, logged, or readable by others", async () => {
  const tls = { verify: true, name: "web.example", ca: good.chain + good.key };
  await node.apply([
    certificate("good", good),
    certificate("bad", { ...good, key: other.key }),
    // Where none belongs.
    certificate("whole", { chain: good.chain + good.key, key: good.key }),
    pool("whole", { protocol: "https", tls }),
  ]);
  const secret = (key: string) => key.split("\n")[1] ?? "";
  const keys = ["Certificate/shop/good", "Certificate/shop/bad", "Certificate/shop/whole", "Pool/shop/whole/80"];
  for (const path of [...keys.map((each) => `/v2/resources/${each}`), "/v2/state"]) {
    const { status, text } = await node.admin(path);
    expect([status, text.includes("PRIVATE KEY")]).toEqual([200, false]);
  }
  expect((await node.admin("/v2/resources/Certificate/shop/good")).text).toContain('"key":"[redacted]"');
  expect(node.log()).not.toContain(secret(good.key));
  for (const name of readdirSync(node.directory, { recursive: true }).map(String)) {
    const path = join(node.directory, name);
    if (!statSync(path).isFile() || !readFileSync(path, "utf8").includes(secret(good.key))) continue;
    expect([name, statSync(path).mode & 0o777]).toEqual([expect.stringMatching(/^state\//), 0o600]);
  }
  expect(statSync(join(node.directory, "state")).mode & 0o777).toBe(0o700);
});
