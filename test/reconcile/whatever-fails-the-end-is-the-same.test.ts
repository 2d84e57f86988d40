/**
 * Random events over a few objects that compete for hosts, ports and pools, while translations throw, commits fail
 * before or after they were written, others write in the middle of a turn, and the lock is taken over. At every commit
 * each Rule has its Pools; and once faults stop the store is what a fresh one would be that is told the
 * same objects: no mark, user, part or reason more or less, and the nodes have all of it.
 */
import { expect, test, vi } from "vitest";
import { contentHash } from "../../shared/model/canonical.ts";
import { addToDigest, emptyDigest } from "../../shared/model/digest.ts";
import { EntranceError } from "../../shared/model/error.ts";
import type { Observation } from "../../shared/model/observation.ts";
import { parseReferenceKey, referenceKey, seenKinds } from "../../shared/model/reference.ts";
import type { Sealed } from "../../shared/model/sealed.ts";
import type { SeenObject } from "../../shared/model/seen/object.ts";
import { readHead } from "../../shared/reconcile/head.ts";
import {
  dirtyKey,
  dirtyPartition,
  headKey,
  laterPartition,
  lockKey,
  partsPartition,
  refusedPartition,
  seenKey,
  seenPartition,
  usersPartition,
  wantKey,
} from "../../shared/reconcile/keys.ts";
import { listAll } from "../../shared/reconcile/list-all.ts";
import { readSeen, seenHash } from "../../shared/reconcile/seen.ts";
import type { Want } from "../../shared/reconcile/want.ts";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import type { Store } from "../../shared/store/port.ts";
import { translate } from "../../shared/translate/translate.ts";
import type { Subject, Translating, TranslationSettings } from "../../shared/translate/translation.ts";
import { dice } from "../harness/dice.ts";
import { newTestEntrance, type TestEntrance, usualTranslation } from "../harness/entrance.ts";
import { modelPlugin, newModelNode } from "../harness/model-node.ts";
import { gone, observed, seenIngress, seenService, seenSlice } from "../harness/seen.ts";
import { dangling, wantsOf } from "../harness/served.ts";

// Small commits, so that few objects already need several.
vi.mock("../../shared/store/port.ts", async (original) => ({
  ...(await original<typeof import("../../shared/store/port.ts")>()),
  maxCommitKeys: 34,
}));

type Random = (sides: number) => number;

const names = ["one", "two"];
const hosts = ["h1.example", "h2.example", "h3.example"];
const ages = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"];
const ports = [80, 81, 82].map((port) => ({
  name: `p${port}`,
  port,
  protocol: "TCP" as const,
  targetPort: 8_000 + port,
}));

function pick<T>(random: Random, choices: readonly T[]): T {
  const choice = choices[random(choices.length)];
  if (choice === undefined) throw new Error("nothing to choose from");
  return choice;
}

const some = <T>(random: Random, choices: readonly T[]): T[] => choices.filter(() => random(2) === 0);

/** One or two, or now and then so many that the want goes in parts. */
function pathsOf(random: Random): string[] {
  if (random(24) > 0) return ["/", "/x"].slice(random(2));
  return Array.from({ length: 200 }, (_, index) => `/${"p".repeat(250)}${index}`);
}

/** A random shape of a random object; `usable` leaves out those that a translation refuses. */
const makers: readonly ((random: Random, usable: boolean) => SeenObject)[] = [
  (random, usable) => {
    const annotations: Record<string, string> = {};
    if (random(3) === 0) annotations["http"] = `${pick(random, hosts)}/s${random(2)}=${pick(random, ports).port}`;
    if (random(4) === 0) annotations["tcp"] = `${9_000 + random(2)}:${pick(random, ports).port}`;
    if (random(4) === 0) annotations["class"] = pick(random, ["one", "two"]);
    if (random(6) === 0) annotations["https"] = `${pick(random, hosts)}/t`;
    if (random(6) === 0) annotations["certificate"] = pick(random, ["x", "y", "x,y"]);
    if (random(8) === 0) annotations["auth-secret"] = pick(random, ["x", "u"]);
    if (!usable && random(6) === 0) annotations["http"] = "no host";
    const namespace = pick(random, ["a", "b"]);
    const kept = ports.filter(() => random(4) > 0);
    const labels: Record<string, string> = random(6) === 0 ? { tenant_name: "c" } : {};
    const [port] = kept;
    const isWhole = kept.length === 3 || (usable && Object.keys(annotations).some((name) => name !== "class"));
    return seenService(namespace, pick(random, ["s1", "s2"]), {
      ports: isWhole || port === undefined ? ports : kept,
      annotations,
      labels,
      created: pick(random, ages),
    });
  },
  (random) => {
    const namespace = pick(random, ["a", "b"]);
    const addresses = Array.from({ length: random(3) }, (_, index) => `10.0.${random(3)}.${index}`);
    return {
      ...seenSlice(namespace, pick(random, ["s1", "s2"]), addresses, `e${random(8)}`),
      ports: ports.map(({ name, targetPort }) => ({ name, port: targetPort, protocol: "TCP" as const })),
    };
  },
  (random) => {
    const backend = () => ({ service: pick(random, ["s1", "s2"]), port: pick(random, [80, 81, 82, "p80"]) });
    const rules = some(random, hosts).map((host) => ({
      host,
      paths: pathsOf(random).map((path) => ({ path, pathType: "Prefix" as const, backend: backend() })),
    }));
    const className = pick(random, ["one", "two", "named", "", "foreign"]);
    const { className: _, ...plain } = seenIngress(pick(random, ["a", "b"]), `i${random(3)}`, [], "s1");
    return {
      ...plain,
      rules,
      ...(className === "" ? {} : { className }),
      created: pick(random, ages),
      labels: random(6) === 0 ? { tenant_name: "c" } : {},
      tls: random(3) === 0 ? [{ hosts: [pick(random, hosts)], secretName: pick(random, ["x", "y"]) }] : [],
      annotations: random(8) === 0 ? { "auth-secret": pick(random, ["u", "v"]) } : {},
    };
  },
  (random) => ({
    kind: "IngressClass" as const,
    namespace: "",
    name: pick(random, ["named", "one"]),
    created: pick(random, ages),
    controller: pick(random, ["entrance.dev/one", "entrance.dev/two", "other"]),
    isDefault: random(2) === 0,
  }),
  (random, usable) => ({
    kind: "Namespace" as const,
    namespace: "",
    name: pick(random, ["a", "b"]),
    created: pick(random, ages),
    labels: {},
    annotations:
      random(3) === 0 ? { domains: !usable && random(3) === 0 ? "no host" : some(random, hosts).join(",") } : {},
  }),
  (random, usable) => {
    const secret = { kind: "Secret" as const, namespace: pick(random, ["a", "b"]), created: pick(random, ages) };
    const name = pick(random, ["x", "y", "u"]);
    const secrets = random(3);
    if (name === "u") {
      const of = some(random, ["ann", "bob"]).map((user) => ({ name: user, hash: sealedBy(random, secrets, user) }));
      return { ...secret, name, users: of, problems: [] };
    }
    if (!usable && random(6) === 0)
      return { ...secret, name, problems: [{ sentence: "no host of a key", deny: true }] };
    const names = some(random, hosts);
    const times = { notBefore: "2026-01-01T00:00:00Z", notAfter: "2036-01-01T00:00:00Z" };
    const certificate = { chain: `chain ${random(3)}`, key: sealedBy(random, secrets, "key"), names, ...times };
    return { ...secret, name, certificate, problems: [] };
  },
];

/** Each time another text, of the same secret one print. The third secret was sealed with a key that is lost. */
function sealedBy(random: Random, secret: number, of: string): Sealed {
  const id = secret === 2 ? "lost" : (usualTranslation.sealKeys[0] ?? "");
  return { of, print: String(secret).repeat(40), sealed: `${id}.${random(1_000_000)}.AAAA` };
}

/** Slices change most. */
const weights = [0, 0, 1, 1, 1, 2, 2, 2, 3, 4, 5, 5];

interface World {
  readonly random: Random;
  version: number;
  /** By referenceKey: what the cluster has. */
  readonly objects: Map<string, { object: SeenObject; uid: string }>;
}

function randomObservation(world: World, usable = false): Observation {
  const { random } = world;
  const object = pick(
    random,
    weights.flatMap((weight) => makers[weight] ?? []),
  )(random, usable);
  world.version += 1;
  const key = referenceKey(object);
  const known = world.objects.get(key);
  if (known !== undefined && random(4) === 0) {
    world.objects.delete(key);
    return gone(known.object, world.version, known.uid);
  }
  const uid = known?.uid ?? `uid-${world.version}`;
  // Whoever claims keeps its age, as objects do.
  const aged = { ...object, created: known?.object.created ?? object.created };
  world.objects.set(key, { object: aged, uid });
  return observed(aged, world.version, uid);
}

interface Faults {
  on: boolean;
  /** Runs something of somebody else before an operation of the store. */
  meddle: () => Promise<void>;
}

function faultyStore(store: Store, random: Random, faults: Faults, onCommit: () => Promise<void>): Store {
  return {
    async get(key) {
      await faults.meddle();
      return store.get(key);
    },
    async list(partition, after, limit) {
      await faults.meddle();
      return store.list(partition, after, limit);
    },
    async commit(checks, writes) {
      await faults.meddle();
      if (faults.on && random(60) === 0) throw new EntranceError("unavailable", "the store is away");
      const result = await store.commit(checks, writes);
      if (writes.some(({ key }) => key.partition.startsWith("want/"))) await onCommit();
      if (faults.on && random(60) === 0) throw new EntranceError("uncertain", "no answer");
      return result;
    },
    close: () => store.close(),
  };
}

function faultyTranslate(random: Random, faults: Faults) {
  return function* faulty(subject: Subject, settings: TranslationSettings): Translating {
    const generator = translate(subject, settings);
    let next = generator.next();
    for (;;) {
      if (faults.on && random(25) === 0) throw new Error("boom");
      if (next.done === true) return next.value;
      next = generator.next(yield next.value);
    }
  };
}

/**
 * Rules without a pool whose port still exists: those of ports that went wait for whoever routes there, and a Service
 * that changes together with its routes may come last.
 */
async function lost(store: Store): Promise<string[]> {
  const wrong: string[] = [];
  const wants = await wantsOf(store);
  for (const each of dangling(wants, "pools")) {
    const [, namespace = "", name = "", port = ""] = each.split(" without Pool")[1]?.split("/") ?? [];
    const reference = { kind: "Service" as const, namespace, name };
    const seen = readSeen(await store.get(seenKey(reference)));
    const isDue = (await store.get(dirtyKey(reference))) !== undefined;
    if (isDue || seenHash(seen) !== wants.get(referenceKey(reference))?.seen) continue;
    const object = seen?.object;
    if (object?.kind === "Service" && object.ports.some((known) => String(known.port) === port)) wrong.push(each);
  }
  return wrong;
}

function entranceOn(store: Store, options: Parameters<typeof newTestEntrance>[0] = {}): TestEntrance {
  const nodes = options.nodes ?? new Map(names.map((name) => [`http://${name}`, newModelNode()]));
  const plugin = modelPlugin(nodes);
  const balancers = names.map((name) => ({ name, classes: [name], plugin, nodes: [`http://${name}`], addresses: [] }));
  return newTestEntrance({
    store,
    balancers,
    translation: {
      balancers: names.map((name) => ({ name, classes: [name] })),
      prefix: "entrance.dev",
      sealKeys: usualTranslation.sealKeys,
    },
    translate,
    ...options,
    nodes,
  });
}

/** What was decided, without when. */
function decided(wants: ReadonlyMap<string, Want>): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [key, { heldSince: _, resources, ...want }] of [...wants].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const values = Object.entries(resources).map(([balancer, all]) => [
      balancer,
      Object.fromEntries(Object.entries(all).map(([name, { hash, value }]) => [name, { hash, value }])),
    ]);
    result[key] = { ...want, resources: Object.fromEntries(values) };
  }
  return result;
}

async function reasonsOf(store: Store): Promise<Record<string, unknown>> {
  const entries = await listAll(store, refusedPartition);
  return Object.fromEntries(entries.map((entry) => [entry.key.sort, JSON.parse(entry.value).reasons]));
}

async function run(seed: number): Promise<string[]> {
  const random = dice(seed);
  const world: World = { random, version: 0, objects: new Map() };
  const store = openMemoryStore();
  const wrong: string[] = [];
  const faults: Faults = { on: true, meddle: async () => undefined };
  // A fault of ours in a Service leaves its users without a pool, so a run has such faults or looks at each commit.
  const isFaulty = seed % 2 === 0;
  const onCommit = async () => {
    if (isFaulty) return;
    for (const each of await lost(store)) wrong.push(`at a commit: ${each}`);
  };
  const other = entranceOn(store, { instance: "other" });
  const mine = entranceOn(faultyStore(store, random, faults, onCommit), {
    instance: "mine",
    nodes: other.nodes,
    translate: isFaulty ? faultyTranslate(random, faults) : translate,
  });
  let meddling = false;
  let meddled = Promise.resolve();
  const meddle = async () => {
    meddling = true;
    try {
      if (random(8) === 0) {
        mine.clock += 13_000;
        other.clock = mine.clock;
        await other.entrance.tick();
      } else {
        await other.entrance.observe([randomObservation(world)]);
      }
      await other.host.settled();
    } finally {
      meddling = false;
    }
  };
  faults.meddle = async () => {
    if (!faults.on || meddling || random(40) > 0) return;
    meddled = meddle();
    await meddled;
  };
  const bothSettled = async () => {
    // Whoever asked the store may have ended early, beside something else that failed.
    await meddled.catch(() => undefined);
    await mine.host.settled();
    await other.host.settled();
  };
  for (let step = 0; step < 25; step += 1) {
    const observations = Array.from({ length: 1 + random(4) }, () => randomObservation(world));
    for (;;) {
      try {
        await mine.entrance.observe(observations);
        break;
      } catch (error) {
        if (!(error instanceof EntranceError)) throw error;
      }
    }
    if (random(2) === 0) await bothSettled();
    mine.clock += random(4) === 0 ? 6_000 : 10;
    other.clock = mine.clock;
    if (random(3) === 0) await mine.entrance.tick().catch(() => undefined);
  }
  await bothSettled();
  faults.on = false;
  // What cannot be translated keeps what was good last, so each such object is mended or goes.
  for (const { object, uid } of [...world.objects.values()]) {
    const text = JSON.stringify(object);
    const isDoubtful = text.includes("no host") || (object.kind === "Service" && object.ports.length < 3);
    if (!isDoubtful) continue;
    world.version += 1;
    world.objects.delete(referenceKey(object));
    await mine.entrance.observe([gone(object, world.version, uid)]);
  }
  for (let round = 0; round < 6; round += 1) {
    await bothSettled();
    mine.clock += 400_000;
    other.clock = mine.clock;
    await mine.entrance.tick();
  }
  await bothSettled();

  for (const partition of [dirtyPartition, laterPartition]) {
    for (const { key } of await listAll(store, partition)) wrong.push(`${partition}: ${key.sort}`);
  }
  if (JSON.parse((await store.get(lockKey))?.value ?? "{}").holder !== "") wrong.push("the lock is held");
  const wants = await wantsOf(store);
  wrong.push(...dangling(wants, "pools"));
  for (const balancer of names) {
    let digest = emptyDigest;
    const all = [...wants.values()].flatMap((want) => Object.entries(want.resources[balancer] ?? {}));
    for (const [key, { hash, value }] of all) {
      digest = addToDigest(digest, key, hash);
      if (contentHash(value) !== hash) wrong.push(`${key} has another hash`);
    }
    const head = readHead(await store.get(headKey(balancer)));
    if (head?.digest !== digest) wrong.push(`${balancer}: the head's digest is not that of the wants`);
    const node = mine.nodes.get(`http://${balancer}`);
    if (node?.state.digest !== digest || node.state.revision !== head?.revision) wrong.push(`${balancer}: node behind`);
    const onNode = [...(node?.resources.values() ?? [])].map(({ key, hash }) => `${key} ${hash}`).sort();
    if (
      onNode.join() !==
      all
        .map(([key, { hash }]) => `${key} ${hash}`)
        .sort()
        .join()
    )
      wrong.push("other content");
  }
  // Users: exactly what wants tell.
  const used = new Map<string, string>();
  for (const [user, want] of wants) {
    for (const [name, claim] of Object.entries(want.uses)) used.set(`${name} ${user}`, JSON.stringify(claim));
  }
  const references = new Set([...wants.keys(), ...[...used.keys()].map((key) => key.split(" ")[0] ?? "")]);
  for (const kind of seenKinds) {
    for (const { key } of await listAll(store, seenPartition(kind))) references.add(`${kind}/${key.sort}`);
  }
  for (const host of hosts) references.add(`Domain//${host}`);
  for (const name of references) {
    const reference = parseReferenceKey(name);
    if (reference === undefined) continue;
    for (const entry of await listAll(store, usersPartition(reference))) {
      const key = `${name} ${entry.key.sort}`;
      if (used.get(key) !== JSON.stringify(JSON.parse(entry.value).claim)) wrong.push(`user ${key} is not in a want`);
      used.delete(key);
    }
    const { parts = 0, id } = JSON.parse((await store.get(wantKey(reference)))?.value ?? "{}");
    const kept = await listAll(store, partsPartition(reference));
    if (kept.length !== parts || !kept.every(({ key }) => key.sort.startsWith(`${id}/`)))
      wrong.push(`parts of ${name}`);
  }
  for (const key of used.keys()) wrong.push(`no user record ${key}`);

  // A fresh one with the same objects, in which contested names are held by the same.
  const fresh = openMemoryStore();
  for (const [name, want] of wants) {
    const reference = parseReferenceKey(name);
    if (reference === undefined || want.holding === undefined) continue;
    const value = JSON.stringify({
      seen: "",
      uses: {},
      reasons: [],
      resources: {},
      holding: want.holding,
      heldSince: 0,
    });
    await fresh.commit([], [{ key: wantKey(reference), value }]);
    for (const { key, value: claim } of await listAll(store, usersPartition(reference))) {
      await fresh.commit([], [{ key, value: claim }]);
    }
  }
  const again = entranceOn(fresh);
  const objects: Observation[] = [];
  for (const kind of seenKinds) {
    for (const entry of await listAll(store, seenPartition(kind))) {
      const seen = readSeen(entry);
      const expected = world.objects.get(`${kind}/${entry.key.sort}`);
      if ((seen?.object === undefined) !== (expected === undefined)) wrong.push(`seen ${kind}/${entry.key.sort}`);
      if (seen?.object !== undefined) objects.push(observed(seen.object, 1));
    }
  }
  for (let start = 0; start < objects.length; start += 8) {
    await again.entrance.observe(objects.slice(start, start + 8));
  }
  await again.host.settled();
  if (wrong.length > 0) return wrong;
  const expected = decided(await wantsOf(fresh));
  const actual = decided(wants);
  for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    const [is, should] = [contentHash(actual[key] ?? null), contentHash(expected[key] ?? null)];
    if (is !== should) {
      wrong.push(`${key} is ${JSON.stringify(actual[key])} and should be ${JSON.stringify(expected[key])}`);
    }
  }
  const [reasons, freshReasons] = [await reasonsOf(store), await reasonsOf(fresh)];
  if (contentHash(reasons) !== contentHash(freshReasons)) {
    wrong.push(`refused ${JSON.stringify(reasons)} and should be ${JSON.stringify(freshReasons)}`);
  }
  wrong.push(...[...mine.host.faults, ...other.host.faults].map(String));
  return wrong;
}

const seeds = 40;

test("whatever fails in between, the end is the same as told afresh", async () => {
  const failed: Record<number, string[]> = {};
  for (let seed = 1; seed <= seeds; seed += 1) {
    const wrong = await run(seed);
    if (wrong.length > 0) failed[seed] = wrong.slice(0, 3).map((each) => each.slice(0, 700));
  }
  expect(failed).toEqual({});
}, 600_000);
