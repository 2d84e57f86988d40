// What was acknowledged stays, whatever dies; what was not whole is never served as if it were.
import { appendFileSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Backend, startBackend } from "../harness/backend.ts";
import { makeCertificate } from "../harness/certificate.ts";
import { type Change, digestOf, request, Sender, startNode, type TestNode } from "../harness/node.ts";
import { application, certificate, pool, rule } from "./values.ts";

/** The release's run sets this to 50. */
const ROUNDS = Number(process.env["ENTRANCE_KILL_ROUNDS"] ?? "4");

let node: TestNode;
let backend: Backend;

beforeEach(async () => {
  backend = await startBackend("web");
});

afterEach(async () => {
  await node?.stop();
  await backend?.close();
});

function journals(): string[] {
  const folder = join(node.directory, "state");
  const names = readdirSync(folder).filter((name) => name.startsWith("journal-"));
  return names.sort().map((name) => join(folder, name));
}

function lastJournal(): string {
  return journals().at(-1) ?? "";
}

/** Several clients of one history: each sends all that is not yet acknowledged, so what they send overlaps. */
class Writers {
  readonly sender = new Sender();
  readonly digests = new Map<number, string>();
  readonly log: { revision: number; change: Change }[] = [];
  readonly v1 = new Set<string>();
  acknowledged = 0;
  #running = true;
  #number = 0;

  async v2(): Promise<void> {
    while (this.#running) {
      const name = `w${this.#number++}`;
      const change = rule(`${name}.example`, "web", { name });
      this.sender.changes([change]);
      const { revision } = this.sender;
      this.digests.set(revision, String(this.sender.head()["digest"]));
      this.log.push({ revision, change });
      const base = this.acknowledged;
      const changes = this.log
        .filter((it) => it.revision > base && it.revision <= revision)
        .map((it) => ({ ...it.change, revision, hash: this.sender.hashes.get(it.change.key) }));
      const body = { ...this.sender.head(), revision, digest: this.digests.get(revision), base, changes };
      const answer = await node.post(body).catch(() => undefined);
      if (answer?.status === 200) this.acknowledged = Math.max(this.acknowledged, revision);
      else await sleep(1);
    }
  }

  async v1Upstreams(prefix: string): Promise<void> {
    while (this.#running) {
      const name = `${prefix}${this.#number++}`;
      const body = JSON.stringify({ servers: [{ addr: `127.0.0.1:${backend.port}` }] });
      const sent = request(node.ports.admin, `/v1/upstreams/${name}`, { method: "POST", body });
      if ((await sent.catch(() => undefined))?.status === 205) this.v1.add(name);
      else await sleep(1);
    }
  }

  async run(ms: number, interrupt: () => Promise<void>): Promise<void> {
    this.#running = true;
    const all = [this.v2(), this.v2(), this.v1Upstreams("x"), this.v1Upstreams("y")];
    await sleep(ms);
    await interrupt();
    this.#running = false;
    await Promise.all(all);
  }

  /** The node has at least what was acknowledged, exactly as it was at the revision that it names. */
  async check(): Promise<void> {
    const state = await node.state();
    expect(state.revision).toBeGreaterThanOrEqual(this.acknowledged);
    expect(state.digest).toBe(this.digests.get(state.revision));
    const listed = JSON.parse((await request(node.ports.admin, "/v1/upstreams")).text) as { items: string[] };
    const items = new Set(listed.items);
    expect([...this.v1].filter((name) => !items.has(name))).toEqual([]);
    const hosts = this.log.filter((it) => it.revision <= this.acknowledged).map((it) => it.change.key.split("/")[1]);
    const answers = await Promise.all(hosts.slice(-50).map((host) => node.get(host ?? "")));
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    await onEachWorker(async () => {
      const own = await Promise.all(hosts.slice(-10).map((host) => node.get(host ?? "")));
      expect(own.filter(({ status }) => status !== 200)).toEqual([]);
    });
  }
}

function signal(workers: readonly { readonly pid: number }[], name: "SIGSTOP" | "SIGCONT"): void {
  for (const { pid } of workers) process.kill(pid, name);
}

function stands({ pid }: { readonly pid: number }): boolean {
  return /^State:\tT/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
}

/**
 * Returns when all of them stand still, so that none is woken for a connection that it won't take. Whoever is stopped
 * in the middle of a look into a dictionary holds up all others: then once more.
 */
async function stop(workers: readonly { readonly pid: number }[]): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    signal(workers, "SIGSTOP");
    while (!workers.every(stands)) await sleep(1);
    const answer = await request(node.ports.health, "/ready", { timeoutMs: 1000 }).catch(() => undefined);
    if (answer !== undefined) return;
    if (attempt === 20) throw new Error("one worker alone does not answer");
    signal(workers, "SIGCONT");
    await sleep(10);
  }
}

/** With the others stopped, one worker has to answer everything itself. */
async function onEachWorker(ask: () => Promise<void>): Promise<void> {
  // A worker that has not begun yet has no pid to be told by, and pid 0 means this very process group.
  const workers = await vi.waitFor(async () => {
    const { workers: known } = await node.state();
    expect(known.map(({ pid }) => pid)).not.toContain(0);
    return known;
  });
  for (const worker of workers) {
    const others = workers.filter(({ pid }) => pid !== worker.pid);
    try {
      await stop(others);
      await ask();
    } finally {
      signal(others, "SIGCONT");
    }
  }
}

async function startWithWriters(): Promise<Writers> {
  node = await startNode({ workers: 4 });
  const writers = new Writers();
  const body = writers.sender.changes(application("www.example", "web", [{ port: backend.port }]));
  writers.digests.set(1, digestOf(writers.sender.hashes));
  expect((await node.post(body)).status).toBe(200);
  writers.acknowledged = 1;
  return writers;
}

test("the whole group killed with -9 under four writers: nothing acknowledged is lost", {
  timeout: 3_600_000,
}, async () => {
  const writers = await startWithWriters();
  for (let round = 0; round < ROUNDS; round++) {
    await writers.run(50 + Math.random() * 250, () => node.kill9());
    await node.start();
    // Ready from its first answer on, and never with less.
    expect(await node.isReady()).toBe(true);
    await writers.check();
    // What the sender believes goes on from what the node has.
    const { revision } = await node.state();
    writers.acknowledged = revision;
  }
  expect(writers.acknowledged).toBeGreaterThan(ROUNDS);
  expect(writers.v1.size).toBeGreaterThan(ROUNDS);
});

test("a single worker killed with -9 again and again: the others go on, the state stays whole", {
  timeout: 3_600_000,
}, async () => {
  const writers = await startWithWriters();
  for (let round = 0; round < ROUNDS; round++) {
    await writers.run(300, async () => {
      for (let times = 0; times < 4; times++) {
        const { workers } = await node.state().catch(() => ({ workers: [] }));
        const pid = workers[Math.floor(Math.random() * workers.length)]?.pid;
        if (pid) {
          try {
            process.kill(pid, "SIGKILL");
          } catch {
            // died already
          }
        }
        await sleep(100);
      }
    });
    await writers.check();
  }
  await node.restart();
  expect(await node.isReady()).toBe(true);
  await writers.check();
});

test("a writer killed in the middle of a large batch leaves nothing of it, and the next change goes through", async () => {
  node = await startNode({ workers: 1, memoryMiB: 128 });
  await node.apply(application("www.example", "web", [{ port: backend.port }]));
  const before = await node.state();
  const large = Array.from({ length: 10_000 }, (_, place) => pool(`large-${place}`));
  const body = JSON.stringify({
    ...node.sender.changes(large),
    // Never the right one: what dies late must not count either.
    digest: "0".repeat(40),
  });
  const sent = node.admin("/v2/changes", { method: "POST", body }).catch(() => undefined);
  await sleep(300);
  process.kill(before.pid, "SIGKILL");
  await sent;
  for (const change of large) node.sender.set(change.key, null);
  node.sender.revision = before.revision;
  await expect
    .poll(() => node.state().catch(() => undefined), { timeout: 10_000 })
    .toMatchObject({
      revision: before.revision,
      digest: before.digest,
      counts: before.counts,
    });
  await node.apply([pool("after")]);
  expect((await node.admin("/v2/resources/Pool/shop/large-1/80")).status).toBe(404);
  for (let start = 0; start < 2; start++) {
    const state = await node.state();
    expect(state.digest).toBe(digestOf(node.sender.hashes));
    expect(state.counts).toEqual({ Pool: 2, Node: 1, Rule: 1 });
    expect((await node.get("www.example")).status).toBe(200);
    await node.kill9();
    await node.start();
  }
});

describe("what is found on disk at start", () => {
  let whole: string;
  let digestBefore: string;
  let digestAfter: string;

  beforeEach(async () => {
    node = await startNode();
    await node.apply(application("www.example", "web", [{ port: backend.port }]));
    digestBefore = digestOf(node.sender.hashes);
    await node.apply([rule("last.example", "web", { name: "last" })]);
    digestAfter = digestOf(node.sender.hashes);
    await node.halt();
    whole = readFileSync(lastJournal(), "utf8");
  });

  test("all of it, with the owner's eyes only", async () => {
    expect(statSync(join(node.directory, "state")).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(join(node.directory, "state"))) {
      expect(statSync(join(node.directory, "state", name)).mode & 0o777).toBe(0o600);
    }
    await node.start();
    expect((await node.state()).digest).toBe(digestAfter);
  });

  test.each(["first byte", "middle", "all but the line break"])("a last line cut short at its %s", async (where) => {
    const last = whole.lastIndexOf("\n", whole.length - 2) + 1;
    const places: Record<string, number> = { "first byte": last + 1, middle: (last + whole.length) >> 1 };
    truncateSync(lastJournal(), places[where] ?? whole.length - 1);
    await node.start();
    expect(await node.isReady()).toBe(true);
    expect((await node.state()).digest).toBe(digestBefore);
    expect(node.log()).toContain("bytes of an unfinished write off the journal");
    expect((await node.get("last.example")).status).toBe(404);
    // It is written over as if it had never been there.
    node.sender.revision -= 1;
    await node.apply([rule("last.example", "web", { name: "last" })]);
    await node.restart();
    expect((await node.state()).digest).toBe(digestAfter);
  });

  test.each([
    ["garbage behind the last line", "\0\x01garbage\n\n0000 more"],
    ["a line with a wrong sum behind the last", `00000000 C {"format":1}\n`],
  ])("%s", async (_, garbage) => {
    appendFileSync(lastJournal(), garbage);
    await node.start();
    expect(await node.isReady()).toBe(true);
    expect((await node.state()).digest).toBe(digestAfter);
    expect(readFileSync(lastJournal(), "utf8")).toBe(whole);
  });

  test("a byte changed in the middle: not ready with less, until Entrance has made it whole", async () => {
    await node.start();
    await node.apply([pool("behind")]);
    await node.halt();
    const bytes = readFileSync(lastJournal());
    const at = bytes.indexOf("last.example");
    bytes.write("L", at);
    writeFileSync(lastJournal(), bytes);
    for (let start = 0; start < 2; start++) {
      await node.start();
      expect(await node.isReady()).toBe(false);
      expect((await node.state()).problem).toContain("damaged");
      // What is known is served all the same.
      expect((await node.get("www.example")).status).toBe(200);
      if (start === 0) await node.halt();
    }
    // It names the last revision that it has whole, so what is missing comes as changes.
    const { revision } = await node.state();
    expect(revision).toBe(1);
    const missing = node.sender.changes([rule("last.example", "web", { name: "last" }), pool("behind")], revision);
    expect((await node.post(missing)).status).toBe(200);
    expect(await node.isReady()).toBe(true);
    expect((await node.get("last.example")).status).toBe(200);
    await expect.poll(() => readdirSync(join(node.directory, "state")), { timeout: 5000 }).toContain("snapshot");
    await node.restart();
    expect(await node.isReady()).toBe(true);
    expect((await node.state()).problem).toBeNull();
  });

  const upstream = async (name: string) => {
    const body = JSON.stringify({ name, protocol: "http", servers: [{ addr: `127.0.0.1:${backend.port}` }] });
    const answer = await request(node.ports.admin, `/v1/upstreams/${name}`, { method: "POST", body });
    expect(answer.status).toBe(205);
  };
  const spoil = (word: string) => {
    const bytes = readFileSync(lastJournal());
    bytes.write("#", bytes.indexOf(word));
    writeFileSync(lastJournal(), bytes);
  };
  /** Of two that v1 has said; `behind`: what comes after them. */
  const losesALine = async (behind?: () => Promise<unknown>) => {
    await upstream("80.lost.shop");
    await upstream("80.kept.shop");
    await behind?.();
    await node.halt();
    spoil("80.lost.shop");
    await node.start();
  };

  test("a line of v1's that is damaged: ready where v2's digest says that nothing else is missing", async () => {
    await node.start();
    await losesALine(() => node.apply([pool("behind")]));
    expect(await node.isReady()).toBe(true);
    expect(await node.state()).toMatchObject({ revision: node.sender.revision, problem: null, v1: 1 });
    expect(node.log()).toContain("1 damaged lines on disk");
    expect((await node.admin("/metrics")).text).toContain("entrance_node_damaged_lines 1\n");
  });

  test("with no change of v2's behind it, it asks for everything, and is ready then", async () => {
    await node.start();
    await losesALine();
    expect(await node.isReady()).toBe(false);
    expect(await node.state()).toMatchObject({ revision: 0, digest: digestAfter, v1: 1 });
    expect((await node.put(node.sender.snapshot())).status).toBe(200);
    expect(await node.isReady()).toBe(true);
    await node.restart();
    expect(await node.isReady()).toBe(true);
  });

  test("where v1 alone tells the node, nobody is waited for", async () => {
    await node.stop();
    node = await startNode();
    await losesALine();
    expect(await node.isReady()).toBe(true);
    expect((await node.state()).v1).toBe(1);
  });

  test("what was found of a certificate, once lost, is found anew", async () => {
    await node.start();
    const [one, other] = [makeCertificate(["www.example"]), makeCertificate(["www.example"])];
    const rejected = await node.apply([certificate("c", { chain: one.chain, key: other.key })]);
    expect(rejected).toHaveLength(1);
    await node.halt();
    spoil("does not belong");
    await node.start();
    expect(await node.isReady()).toBe(true);
    expect((await node.state()).rejected).toEqual(rejected);
  });

  test("a snapshot file that is damaged: not ready until there is a new one", async () => {
    await node.start();
    node.sender.revision += 1;
    expect((await node.put(node.sender.snapshot())).status).toBe(200);
    await node.halt();
    const file = join(node.directory, "state/snapshot");
    const text = readFileSync(file, "utf8");
    for (const spoilt of [text.slice(0, -30), text.replace("www.example", "WWW.example"), text.replace("H", "h"), ""]) {
      writeFileSync(file, spoilt);
      await node.start();
      expect(await node.isReady()).toBe(false);
      expect((await node.put(node.sender.snapshot())).status).toBe(200);
      expect(await node.isReady()).toBe(true);
      await node.restart();
      expect(await node.isReady()).toBe(true);
      expect((await node.state()).digest).toBe(digestOf(node.sender.hashes));
      await node.halt();
    }
    await node.start();
  });
});

describe("no room", () => {
  test("on disk: 507, nothing changes, service goes on, and a restart finds the last state", async () => {
    node = await startNode({ wrap: ["prlimit", "--fsize=65536"] });
    await node.apply(application("www.example", "web", [{ port: backend.port }]));
    const fill = async (): Promise<number> => {
      for (let number = 0; number < 100; number++) {
        const body = node.sender.changes([pool(`fill-${number}`, { alias: "x".repeat(5000) })]);
        const { status, text } = await node.post(body);
        if (status === 200) continue;
        expect(JSON.parse(text)).toMatchObject({ reason: "disk" });
        node.sender.revision -= 1;
        node.sender.set(`Pool/shop/fill-${number}/80`, null);
        return status;
      }
      return 200;
    };
    expect(await fill()).toBe(507);
    const state = await node.state();
    expect(state.revision).toBe(node.sender.revision);
    expect(state.digest).toBe(digestOf(node.sender.hashes));
    expect((await node.get("www.example")).status).toBe(200);
    // A snapshot has no room either, and nothing of it stays.
    const large = new Sender();
    large.revision = state.revision;
    large.changes(Array.from({ length: 20 }, (_, place) => pool(`large-${place}`, { alias: "x".repeat(5000) })));
    expect((await node.put(large.snapshot())).status).toBe(507);
    expect(await node.state()).toMatchObject({ revision: state.revision, digest: state.digest });
    expect(readdirSync(join(node.directory, "state"))).not.toContain("snapshot.new");
    await node.restart();
    expect(await node.isReady()).toBe(true);
    expect((await node.state()).digest).toBe(state.digest);
    expect(node.log()).not.toMatch(/\[(alert|emerg)\]/);
  });

  test("in the dictionary: 507, nothing changes, service goes on, and removing makes room", async () => {
    node = await startNode({ memoryMiB: 1 });
    await node.apply(application("www.example", "web", [{ port: backend.port }]));
    let status = 200;
    let number = 0;
    while (status === 200 && number < 5000) {
      const body = node.sender.changes([pool(`fill-${number}`, { alias: "x".repeat(3000) })]);
      const answer = await node.post(body);
      status = answer.status;
      if (status === 200) number += 1;
      else expect(JSON.parse(answer.text)).toMatchObject({ reason: "memory" });
    }
    expect(status).toBe(507);
    expect(number).toBeGreaterThan(50);
    node.sender.revision -= 1;
    node.sender.set(`Pool/shop/fill-${number}/80`, null);
    const state = await node.state();
    expect(state.digest).toBe(digestOf(node.sender.hashes));
    expect((await node.get("www.example")).status).toBe(200);
    expect((await node.admin(`/v2/resources/Pool/shop/fill-${number}/80`)).status).toBe(404);
    for (let old = 0; old < number; old++) await node.apply([{ key: `Pool/shop/fill-${old}/80`, value: null }]);
    await node.apply([pool("afterwards", { alias: "x".repeat(3000) })]);
    await node.restart();
    expect((await node.state()).digest).toBe(digestOf(node.sender.hashes));
  });
});

test("a long journal is folded into a snapshot file while changes go on, and nothing is lost", async () => {
  node = await startNode();
  await node.apply(application("www.example", "web", [{ port: backend.port }]));
  const first = lastJournal();
  for (let number = 0; number < 130; number++) {
    await node.apply([pool(`big-${number % 20}`, { alias: `${number}${"x".repeat(100_000)}` })]);
  }
  await expect.poll(journals, { timeout: 10_000 }).not.toContain(first);
  expect(journals()).toHaveLength(1);
  await node.kill9();
  await node.start();
  expect(await node.isReady()).toBe(true);
  const state = await node.state();
  expect(state.digest).toBe(digestOf(node.sender.hashes));
  expect(state.revision).toBe(node.sender.revision);
  expect((await node.get("www.example")).status).toBe(200);
});
