/** What nodes are sent of what is sealed, and what they make of what cannot be opened. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { contentHash } from "../../shared/model/canonical.ts";
import { addToDigest, emptyDigest } from "../../shared/model/digest.ts";
import type { Sealed } from "../../shared/model/sealed.ts";
import { SecretText } from "../../shared/model/secret-text.ts";
import { opened } from "../../shared/plugins/openresty/opened.ts";
import { openResty } from "../../shared/plugins/openresty/plugin.ts";
import type { Resource } from "../../shared/plugins/port.ts";
import { makeCertificate } from "../harness/certificate.ts";
import { startNode, type TestNode } from "../harness/node.ts";
import { testSecrets } from "../harness/secrets.ts";

const { sealer } = testSecrets("a-seal-key-of-this-test");
const pair = makeCertificate(["a.example"]);
const hash = `$2y$05$${"a".repeat(53)}`;
const keyOf = "Secret/shop/tls/tls.key";
const hashOf = "Secret/shop/users/auth%2Fann";

async function sealed(of: string, text: string, by = sealer): Promise<Sealed> {
  const secret = await by.seal(of, text);
  if (secret === undefined) throw new Error("nothing to seal with");
  return secret;
}

function resource(key: string, value: unknown): Resource {
  return { key, revision: 1, hash: contentHash(value), value };
}

const certificate = (key: Sealed | "") => ({
  chain: pair.chain,
  key,
  names: ["a.example"],
  notAfter: "2036-01-01T00:00:00Z",
});
const rule = (user: Sealed, headers: readonly object[] = []) => ({
  domain: "a.example",
  scheme: "http",
  owner: { kind: "Ingress", namespace: "shop", name: "web", created: "2026-11-22T10:21:37Z" },
  tenant: "shop",
  listeners: [],
  matches: { path: { type: "prefix", value: "/" } },
  filters: [
    { type: "BasicAuth", basicAuth: { users: [{ name: "ann", hash: user }] } },
    ...(headers.length === 0 ? [] : [{ type: "ResponseHeaderModifier", responseHeaderModifier: { set: headers } }]),
  ],
  pools: [],
});
const ruleKey = "Rule/a.example/Ingress/shop/web/0";
const open = (secret: Sealed) => sealer.open(secret);

describe("in a resource", () => {
  test("what is sealed is opened in its place, and nothing else changes", async () => {
    const plain = resource("Pool/shop/web/80", { protocol: "http" });
    const held = resource("Certificate/shop/tls", certificate(await sealed(keyOf, pair.key)));
    const guarded = resource(ruleKey, rule(await sealed(hashOf, hash)));
    const gone = { key: "Certificate/shop/other", revision: 1, hash: "", value: null };
    const sent = await opened([plain, held, guarded, gone], open);
    expect(sent[0]).toBe(plain);
    expect(sent[1]).toEqual({ ...held, value: { ...certificate(""), key: pair.key } });
    expect(sent[2]?.value).toMatchObject({ filters: [{ basicAuth: { users: [{ name: "ann", hash }] } }] });
    expect(sent[3]).toBe(gone);
    expect(JSON.stringify([held, guarded])).not.toContain(pair.key.split("\n")[1]);
  });

  test.each<[string, string, string]>([
    ["a key in a rule", ruleKey, keyOf],
    ["a hash in a certificate", "Certificate/shop/tls", hashOf],
    ["anything in a pool", "Pool/shop/web/80", keyOf],
  ])("%s is not opened, whoever put it there", async (_, key, of) => {
    const value = { anywhere: [await sealed(of, "never shown")] };
    const [sent] = await opened([resource(key, value)], open);
    expect(JSON.stringify(sent)).not.toContain("never shown");
  });

  test("what cannot be opened is an empty text, and the hash stays", async () => {
    const foreign = await sealed(keyOf, pair.key, testSecrets("somebody-elses-seal-key").sealer);
    const held = resource("Certificate/shop/tls", certificate(foreign));
    expect(await opened([held], open)).toEqual([{ ...held, value: certificate("") }]);
  });
});

describe("a real node", () => {
  let node: TestNode;
  beforeAll(async () => {
    node = await startNode();
  });
  afterAll(() => node.stop());

  test("rejects what cannot be opened with a reason, takes all else, and its digest agrees", async () => {
    const foreign = testSecrets("somebody-elses-seal-key").sealer;
    const resources = [
      resource("Certificate/shop/tls", certificate(await sealed(keyOf, pair.key, foreign))),
      resource("Certificate/shop/other", certificate(await sealed(keyOf.replace("/tls/", "/other/"), pair.key))),
      resource(ruleKey, rule(await sealed(hashOf, hash, foreign))),
      resource("Domain/a.example", {
        tenant: "shop",
        certificates: ["Certificate/shop/other", "Certificate/shop/tls"],
      }),
    ];
    const digest = resources.reduce((sum, { key, hash: of }) => addToDigest(sum, key, of), emptyDigest);
    const plugin = openResty({ key: new SecretText(node.key), fetch: (url, init) => fetch(url, init), open });
    const target = { store: "s".repeat(32), epoch: 1, revision: 1, digest };
    const url = `http://127.0.0.1:${node.ports.admin}`;
    const receipt = await plugin.deliver(url, { type: "snapshot", target, resources }, 10_000);
    expect(receipt).toMatchObject({ ok: true, state: { revision: 1, digest } });
    const rejected = receipt.ok ? receipt.state.rejected : [];
    expect(rejected.map(({ key }) => key).sort()).toEqual(["Certificate/shop/tls", ruleKey]);
    expect(rejected.every(({ reason }) => reason !== "")).toBe(true);
  });
});
