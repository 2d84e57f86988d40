/** Secrets on their way: sealed in the store, on a balancer while they are used, and sealed anew when keys change. */
import { beforeAll, describe, expect, test } from "vitest";
import { isSealed, type Sealed, sealKeyOf } from "../../shared/model/sealed.ts";
import { SecretText } from "../../shared/model/secret-text.ts";
import type { SeenSecret } from "../../shared/model/seen/secret.ts";
import type { SentSecret } from "../../shared/model/sent-secret.ts";
import { seenPartition, wantPartition } from "../../shared/reconcile/keys.ts";
import { listAll } from "../../shared/reconcile/list-all.ts";
import { surveyRefused } from "../../shared/reconcile/survey.ts";
import { surveyCertificates } from "../../shared/reconcile/survey-certificates.ts";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import type { Store } from "../../shared/store/port.ts";
import { translate } from "../../shared/translate/translate.ts";
import { makeCertificate, type Pair } from "../harness/certificate.ts";
import { newTestEntrance, type TestEntrance, usualTranslation } from "../harness/entrance.ts";
import { type ModelNode, modelPlugin, newModelNode } from "../harness/model-node.ts";
import { type TestSecrets, testSecrets } from "../harness/secrets.ts";
import { gone, observed, seenIngress, seenService, seenSlice } from "../harness/seen.ts";

const hash = `$2y$05$${"a".repeat(53)}`;
const hosts = ["a.example"];
let first: Pair;
let second: Pair;

beforeAll(() => {
  [first, second] = [makeCertificate(hosts), makeCertificate(hosts)];
});

const created = "2026-11-22T10:00:00Z";
const secretOf = (name: string, content: Partial<SentSecret>): SentSecret => {
  return { kind: "SentSecret", namespace: "shop", name, created, problems: [], ...content };
};
const tls = (pair: Pair, name = "web-tls") =>
  secretOf(name, { certificate: { chain: pair.chain, key: new SecretText(pair.key) } });
const users = () => secretOf("users", { users: [{ name: "ann", hash: new SecretText(hash) }] });

const guarded = seenIngress("shop", "web", hosts, "web", {
  tls: [{ hosts, secretName: "web-tls" }],
  annotations: { "auth-secret": "users" },
});

/** As the cluster's only rises. */
let version = 1_000;

/** One Entrance after another on one store and with one node: another start, with other keys. */
function started(store: Store, secrets: TestSecrets, nodes?: ReadonlyMap<string, ModelNode>) {
  const translated: string[] = [];
  const translation = { ...usualTranslation, sealKeys: secrets.ids };
  const test = newTestEntrance({
    store,
    // One process after another, each with the settings of its time.
    isSoleWriter: true,
    secrets: secrets.keeper,
    translation,
    translate: (subject, settings) => {
      translated.push(`${subject.reference.kind} ${subject.reference.name}`);
      return translate(subject, settings);
    },
    ...(nodes && { nodes }),
  });
  const send = async (...sent: readonly SentSecret[]) => {
    for (const each of sent) {
      version += 1;
      await test.entrance.observe([observed(await secrets.keeper.keep(each), version)]);
      await test.host.settled();
    }
  };
  return { test, send, translated };
}

async function withRoutes(test: TestEntrance) {
  await test.entrance.observe([
    observed(seenService("shop", "web"), 1),
    observed(seenSlice("shop", "web", ["10.0.0.1"]), 2),
    observed(guarded, 3),
  ]);
  await test.host.settled();
}

const has = (test: TestEntrance, key: string) => test.node().resources.get(key)?.value;
const certificateKey = "Certificate/shop/web-tls";
const ruleKey = "Rule/a.example/Ingress/shop/web/0";

function sealedIn(value: unknown): Sealed[] {
  if (typeof value !== "object" || value === null) return [];
  return isSealed(value) ? [value] : Object.values(value).flatMap(sealedIn);
}

/** All that is sealed in what was seen and what is wanted. */
async function allSealed(store: Store): Promise<Sealed[]> {
  const partitions = [seenPartition("Secret"), wantPartition("Secret"), wantPartition("Ingress")];
  const entries = (await Promise.all(partitions.map((partition) => listAll(store, partition)))).flat();
  return entries.flatMap((entry) => sealedIn(JSON.parse(entry.value)));
}

describe("a certificate", () => {
  test("is on the balancer while somebody there uses it", async () => {
    const store = openMemoryStore();
    const { test, send } = started(store, testSecrets("a-seal-key-of-this-test"));
    await send(tls(first));
    expect(test.node().resources.size).toBe(0);
    await withRoutes(test);
    expect(has(test, certificateKey)).toMatchObject({ names: hosts, chain: first.chain });
    expect(has(test, "Domain/a.example")).toMatchObject({ certificates: [certificateKey] });

    const { tls: _, ...plain } = { ...guarded, annotations: {} };
    await test.entrance.observe([observed({ ...plain, tls: [] }, 10)]);
    await test.host.settled();
    expect(has(test, certificateKey)).toBeUndefined();
    expect(has(test, "Domain/a.example")).toMatchObject({ certificates: [] });
  });

  test("comes no later than the Domain that names it, however small the commits", async () => {
    const { test, send } = started(openMemoryStore(), testSecrets("a-seal-key-of-this-test"));
    const many = Array.from({ length: 40 }, (_, index) => `h${index}.example`);
    await send(...many.map((_, index) => tls(first, `tls-${index}`)));
    const entries = many.map((host, index) => ({ hosts: [host], secretName: `tls-${index}` }));
    await test.entrance.observe([
      observed(seenService("shop", "web"), 1),
      observed(seenIngress("shop", "web", many, "web", { tls: entries }), 2),
    ]);
    await test.host.settled();
    const known = new Set<string>();
    let deliveries = 0;
    for (const { resources } of test.node().accepted) {
      deliveries += 1;
      for (const { key } of resources) known.add(key);
      for (const { key, value } of resources)
        expect({ key, missing: missingOf(value, known) }).toEqual({ key, missing: [] });
    }
    expect(deliveries).toBeGreaterThan(0);
    expect([...known].filter((key) => key.startsWith("Certificate/"))).toHaveLength(40);
  });

  test("goes from a balancer no earlier than the Domain that names it there, however small the commits", async () => {
    const secrets = testSecrets("a-seal-key-of-this-test");
    const names = ["one", "two"];
    const nodes = new Map(names.map((name) => [`http://${name}`, newModelNode()]));
    const plugin = modelPlugin(nodes);
    const balancers = names.map((name) => ({
      name,
      classes: [name],
      plugin,
      nodes: [`http://${name}`],
      addresses: [],
    }));
    const translation = { ...usualTranslation, balancers, sealKeys: secrets.ids };
    const test = newTestEntrance({ secrets: secrets.keeper, nodes, plugin, balancers, translation });
    const many = Array.from({ length: 40 }, (_, index) => `h${index}.example`);
    for (const [index] of many.entries()) {
      await test.entrance.observe([observed(await secrets.keeper.keep(tls(first, `tls-${index}`)), 1)]);
    }
    const entries = many.map((host, index) => ({ hosts: [host], secretName: `tls-${index}` }));
    await test.entrance.observe([observed(seenService("shop", "web"), 2)]);
    for (const [index, className] of names.entries()) {
      const routed = seenIngress("shop", "web", many, "web", { tls: entries, className });
      await test.entrance.observe([observed(routed, 3 + index)]);
      await test.host.settled();
    }
    for (const name of names) {
      const there = new Map<string, unknown>();
      for (const { resources } of test.node(`http://${name}`).accepted) {
        for (const { key, value } of resources) value === null ? there.delete(key) : there.set(key, value);
        for (const value of there.values()) expect(missingOf(value, new Set(there.keys()))).toEqual([]);
      }
      expect([...there.keys()].filter((key) => key.startsWith("Certificate/"))).toHaveLength(name === "two" ? 40 : 0);
    }
  });

  test("stays when the same Secret is read for something else as well", async () => {
    const { test, send } = started(openMemoryStore(), testSecrets("a-seal-key-of-this-test"));
    await send(tls(first));
    await withRoutes(test);
    for (const [index, realm] of ["one", "two"].entries()) {
      const annotations = { "auth-secret": "web-tls", "auth-realm": realm };
      await test.entrance.observe([observed({ ...guarded, annotations }, 10 + index)]);
      await test.host.settled();
      expect(has(test, certificateKey)).toMatchObject({ names: hosts });
    }
  });

  test("that changes is translated with exactly those who use it", async () => {
    const { test, send, translated } = started(openMemoryStore(), testSecrets("a-seal-key-of-this-test"));
    await send(tls(first), users());
    await withRoutes(test);
    await test.entrance.observe([observed(seenIngress("shop", "other", ["b.example"], "web"), 4)]);
    await test.host.settled();
    translated.length = 0;
    await send(tls(second));
    expect([...new Set(translated)].sort()).toEqual(["Ingress web", "Secret web-tls"]);
    expect(has(test, certificateKey)).toMatchObject({ chain: second.chain });
  });

  test("that is sent again as it was changes nothing", async () => {
    const { test, send, translated } = started(openMemoryStore(), testSecrets("a-seal-key-of-this-test"));
    await send(tls(first), users());
    await withRoutes(test);
    const { revision } = test.node().state;
    translated.length = 0;
    await send(tls(first), users());
    expect(translated).toEqual([]);
    expect(test.node().state.revision).toBe(revision);
  });

  test("goes with its Secret, and closes what its users guarded", async () => {
    const { test, send } = started(openMemoryStore(), testSecrets("a-seal-key-of-this-test"));
    await send(tls(first), users());
    await withRoutes(test);
    expect(has(test, ruleKey)).toMatchObject({ filters: [{ type: "BasicAuth" }], pools: [{}] });
    const ends = [tls(first), users()].map(({ name }) =>
      gone({ kind: "Secret", namespace: "shop", name, created, problems: [] } satisfies SeenSecret, 100_000),
    );
    await test.entrance.observe(ends);
    await test.host.settled();
    expect(has(test, certificateKey)).toBeUndefined();
    expect(has(test, ruleKey)).toMatchObject({ filters: [], pools: [] });
  });
});

function missingOf(value: unknown, known: ReadonlySet<string>): unknown[] {
  if (typeof value !== "object" || value === null || !("certificates" in value)) return [];
  return Array.isArray(value.certificates) ? value.certificates.filter((key) => !known.has(key)) : [];
}

describe("keys that change", () => {
  const [old, next] = ["the-older-of-two-keys", "the-newer-of-two-keys"] as const;

  async function withOldKey() {
    const store = openMemoryStore();
    const { test, send } = started(store, testSecrets(old));
    await send(tls(first), users());
    await withRoutes(test);
    return { store, nodes: test.nodes, revision: test.node().state.revision };
  }

  test("everything is sealed anew with the next start, without a revision, and then needs the older one no more", async () => {
    const { store, nodes, revision } = await withOldKey();
    const { test } = started(store, testSecrets(next, old), nodes);
    await test.entrance.tick();
    await test.host.settled();
    const [id] = testSecrets(next).ids;
    const secrets = await allSealed(store);
    expect(secrets.length).toBe(4);
    expect(new Set(secrets.map(sealKeyOf))).toEqual(new Set([id]));
    expect(test.node().state.revision).toBe(revision);
    expect(await surveyRefused(test.context, 10)).toEqual([]);

    const alone = testSecrets(next);
    const opened = await Promise.all(secrets.map((each) => alone.sealer.open(each)));
    expect(opened.sort()).toEqual([hash, hash, first.key, first.key].sort());
  });

  test("a fault at any commit leaves nothing that only the older key opens", async () => {
    for (let fault = 1; fault <= 6; fault += 1) {
      const { store, nodes } = await withOldKey();
      let commits = 0;
      const faulty: Store = {
        get: (key) => store.get(key),
        list: (partition, after, limit) => store.list(partition, after, limit),
        commit: (checks, writes) => {
          commits += 1;
          if (commits === fault) throw new Error("killed");
          return store.commit(checks, writes);
        },
        close: () => store.close(),
      };
      const { test: killed } = started(faulty, testSecrets(next, old), nodes);
      await killed.entrance.tick().catch(() => undefined);
      await killed.host.settled();
      const { test } = started(store, testSecrets(next, old), nodes);
      for (let round = 0; round < 3; round += 1) {
        test.clock += 400_000;
        await test.entrance.tick();
        await test.host.settled();
      }
      const [id] = testSecrets(next).ids;
      expect(new Set((await allSealed(store)).map(sealKeyOf)), `fault at commit ${fault}`).toEqual(new Set([id]));
    }
  });

  test("sent again under the next key it is one revision, and with the same content none after that", async () => {
    const { store, nodes, revision } = await withOldKey();
    const { test, send } = started(store, testSecrets(next, old), nodes);
    await test.entrance.tick();
    await test.host.settled();
    await send(tls(first));
    expect(test.node().state.revision).toBe(revision + 1);
    await send(tls(first));
    expect(test.node().state.revision).toBe(revision + 1);
  });

  test("without the key the nodes are told of something that they reject, and why stands in the status; with it they have it again", async () => {
    const { store, nodes } = await withOldKey();
    const { test: lost } = started(store, testSecrets(next), nodes);
    await lost.entrance.tick();
    await lost.host.settled();
    expect(has(lost, certificateKey)).toMatchObject({ chain: first.chain, key: "" });
    expect(has(lost, ruleKey)).toMatchObject({ filters: [{ basicAuth: { users: [{ name: "ann", hash: "" }] } }] });
    const refused = await surveyRefused(lost.context, 10);
    expect(refused.map(({ object }) => object)).toEqual(["Secret/shop/users", "Secret/shop/web-tls"]);
    for (const { reasons } of refused)
      expect(reasons.join()).toMatch(/ENTRANCE_SEAL_KEY that is not set any more: set that/);
    expect((await surveyCertificates(lost.context, 10))[0]?.problems.join()).toMatch(/ENTRANCE_SEAL_KEY/);

    const { test: found } = started(store, testSecrets(next, old), nodes);
    await found.entrance.tick();
    await found.host.settled();
    expect(sealedIn(has(found, certificateKey))).toHaveLength(1);
    expect(sealedIn(has(found, ruleKey))).toHaveLength(1);
    expect(await surveyRefused(found.context, 10)).toEqual([]);
  });
});

test("without a key to seal with nothing secret is kept, the status names the setting, and nothing else suffers", async () => {
  const store = openMemoryStore();
  const { test, send } = started(store, testSecrets());
  await send(tls(first), users());
  await withRoutes(test);
  expect(await allSealed(store)).toEqual([]);
  const refused = await surveyRefused(test.context, 10);
  expect(refused.filter(({ object }) => object.startsWith("Secret/")).map(({ reasons }) => reasons)).toEqual([
    [expect.stringMatching(/^its passwords are not kept, .*: set ENTRANCE_SEAL_KEY, then send it again$/)],
    [expect.stringMatching(/^its private key is not kept, .*: set ENTRANCE_SEAL_KEY, then send it again$/)],
  ]);
  expect(has(test, certificateKey)).toBeUndefined();
  expect(has(test, ruleKey)).toMatchObject({ pools: [], filters: [] });
  expect(has(test, "Pool/shop/web/80")).toBeDefined();

  const { test: later, send: again } = started(store, testSecrets("a-seal-key-set-later"), test.nodes);
  await later.entrance.tick();
  await again(tls(first), users());
  expect(sealedIn(has(later, certificateKey))).toHaveLength(1);
  expect(has(later, ruleKey)).toMatchObject({ pools: [{}] });
  expect(await surveyRefused(later.context, 10)).toEqual([]);
});

test("who uses a certificate, for which hosts, and until when, is surveyed", async () => {
  const { test, send } = started(openMemoryStore(), testSecrets("a-seal-key-of-this-test"));
  await send(tls(first), tls(second, "unused-tls"), users());
  await withRoutes(test);
  test.clock = Date.now();
  const surveyed = await surveyCertificates(test.context, 10);
  expect(surveyed.map(({ secret, hosts: used }) => [secret, used])).toEqual([
    ["unused-tls", []],
    ["web-tls", hosts],
  ]);
  expect(surveyed[1]).toMatchObject({
    names: hosts,
    problems: [expect.stringMatching(/^the certificate expires soon/)],
  });
  test.clock += 2 * 24 * 3_600_000;
  expect((await surveyCertificates(test.context, 1))[0]?.problems).toEqual([
    expect.stringMatching(/^the certificate expired/),
  ]);
});
