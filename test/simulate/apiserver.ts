/**
 * The apiserver of a simulation: it keeps objects, asks the admission webhook, and tells the audit webhook, as
 * faithfully or as badly as a seed has it.
 */
import type { Answer, Copy } from "./copy.ts";
import type { Content } from "./objects.ts";
import type { Random } from "./random.ts";
import type { Time } from "./time.ts";
import type { Trace } from "./trace.ts";
import { auditEvent, deletedStatus, eventList, type Operation, objectKey, review, type WireObject } from "./wire.ts";

const reviewTimeoutMs = 3_000;
const auditTimeoutMs = 30_000;
const auditRetryMs = 300;
const maxPasts = 64;

export interface ApiFaults {
  /** Events arrive twice, one in so many; 0: never. */
  doubled: number;
  /** Events never arrive. */
  lost: number;
  /** Events arrive seconds late, and in another order. */
  late: number;
  /** Events that tell no more than a name. */
  bare: number;
  /** Writes that are allowed here and denied by somebody else. */
  denied: number;
}

export interface ApiserverOptions {
  readonly time: Time;
  readonly random: Random;
  readonly trace: Trace;
  /** Who takes the next request; undefined: nobody listens. */
  readonly copy: () => Copy | undefined;
  /** Of the share of writes that are reviewed at all: Ignore lets a write through where nobody answers. */
  readonly reviews: boolean;
  readonly audits: boolean;
  /** A review of this object was sent at that time, and is allowed. */
  readonly onAllowed: (key: string, sentMs: number) => void;
  readonly pageSize: number;
  readonly forbidsGet: boolean;
}

export class Apiserver {
  readonly faults: ApiFaults = { doubled: 0, lost: 0, late: 0, bare: 0, denied: 0 };
  objects = new Map<string, WireObject>();
  /** By uid: the version of its end. */
  ends = new Map<string, string>();
  /** Nobody reaches its API; webhooks are called all the same. */
  isAway = false;
  isEmpty = false;
  /** No role allows to read Secrets. */
  isClosed = false;
  /** The role allows to list, and not to get. */
  readonly forbidsGet: boolean;
  /** Which object was made or changed last. */
  lastWritten = "";
  /** Whose kube-system answers. */
  clusterId = "cluster-1";
  readonly pageSize: number;
  /** Under way: one write of an object at a time. */
  readonly #busy = new Set<string>();
  readonly #options: ApiserverOptions;
  #last = 100;
  #restores = 0;
  /** When its etcd went back to a backup last, in ms since 1970, and what it had until then. */
  wentBack: { readonly atMs: number; readonly from: Apiserver["objects"] } = { atMs: 0, from: new Map() };
  #ids = 0;
  #uids = 0;
  #events: object[] = [];
  /** All that were told. */
  readonly #told: object[] = [];
  #isFlushing = false;
  /** Events that have not been acknowledged. */
  pending = 0;

  constructor(options: ApiserverOptions) {
    this.#options = options;
    this.pageSize = options.pageSize;
    this.forbidsGet = options.forbidsGet;
  }

  /** Of the last write. */
  get version(): string {
    return String(this.#last);
  }

  /** What a backup of its etcd has: objects, and the count of versions, which then goes on from there. */
  backup(): () => void {
    const [objects, ends, last] = [new Map(this.objects), new Map(this.ends), this.#last];
    return () => {
      this.wentBack = { atMs: this.#options.time.nowMs, from: this.objects };
      this.objects = new Map(objects);
      this.ends = new Map(ends);
      this.#last = last;
      this.#restores += 1;
    };
  }

  /** Resolves when the write was committed or denied. False: somebody else is at it. */
  async put(content: Content): Promise<boolean> {
    const { metadata, kind, apiVersion, ...rest } = content;
    const { time } = this.#options;
    const key = objectKey(content);
    return this.#alone(key, async () => {
      const old = this.objects.get(key);
      const identity =
        old === undefined
          ? { uid: this.#uid() }
          : {
              uid: old.metadata.uid,
              resourceVersion: old.metadata.resourceVersion ?? "",
              creationTimestamp: old.metadata.creationTimestamp,
            };
      const object: WireObject = { kind, apiVersion, ...rest, metadata: { ...metadata, ...identity } };
      const operation = old === undefined ? "CREATE" : "UPDATE";
      if (!(await this.#isAllowed(operation, object, old))) return;
      await time.wait(this.#options.random.between(0.1, 3));
      if (this.objects.get(key) !== old) return;
      if (old !== undefined && sameContent(object, old)) {
        this.#tell(auditEvent(this.#id(), operation, object, old, isTold(object)));
        return;
      }
      const kept = { ...object, metadata: { ...object.metadata, resourceVersion: this.#next() } };
      this.objects.set(key, kept);
      this.lastWritten = key;
      this.#options.trace.add("apiserver", `${operation} ${key} at ${kept.metadata.resourceVersion}`);
      this.#tell(auditEvent(this.#id(), operation, kept, kept, isTold(kept) && !this.#is(this.faults.bare)));
    });
  }

  async delete(key: string): Promise<boolean> {
    const { time, random, trace } = this.#options;
    return this.#alone(key, async () => {
      const old = this.objects.get(key);
      if (old === undefined || !(await this.#isAllowed("DELETE", undefined, old))) return;
      await time.wait(random.between(0.1, 3));
      if (this.objects.get(key) !== old) return;
      const last = { ...old, metadata: { ...old.metadata, resourceVersion: this.#next() } };
      this.objects.delete(key);
      this.ends.set(old.metadata.uid, this.version);
      trace.add("apiserver", `DELETE ${key} at ${last.metadata.resourceVersion}`);
      const answer = random.one(2) ? last : deletedStatus(last);
      this.#tell(auditEvent(this.#id(), "DELETE", old, answer, isTold(old) && !this.#is(this.faults.bare)));
    });
  }

  /** Asked and told, and never kept. */
  async dryRun(content: Content): Promise<void> {
    const { metadata, kind, apiVersion, ...rest } = content;
    const object: WireObject = { kind, apiVersion, ...rest, metadata: { ...metadata, uid: this.#uid() } };
    await this.#ask("CREATE", object, undefined, true);
  }

  async #alone(key: string, work: () => Promise<void>): Promise<boolean> {
    if (this.#busy.has(key)) return false;
    this.#busy.add(key);
    try {
      await work();
    } finally {
      this.#busy.delete(key);
    }
    return true;
  }

  async #isAllowed(
    operation: Operation,
    object: WireObject | undefined,
    old: WireObject | undefined,
  ): Promise<boolean> {
    if (!this.#options.reviews) return !this.#is(this.faults.denied);
    const verdict = await this.#ask(operation, object, old, false);
    return verdict && !this.#is(this.faults.denied);
  }

  /** Nobody who answers in time means yes: `failurePolicy: Ignore`. */
  async #ask(
    operation: Operation,
    object: WireObject | undefined,
    old: WireObject | undefined,
    dryRun: boolean,
  ): Promise<boolean> {
    const sentMs = this.#options.time.nowMs;
    const body = review(this.#id(), operation, object, old, dryRun);
    const answer = await this.#send("/admission?timeout=3s", body, dryRun ? "dry run" : "review", reviewTimeoutMs);
    if (answer?.status !== 200)
      this.#options.trace.add("apiserver", `no review: ${JSON.stringify(answer ?? "no answer")}`);
    const { response } = (answer?.status === 200 ? answer.body : {}) as { response?: { allowed: boolean } };
    const named = object ?? old;
    if (response?.allowed === true && !dryRun && named !== undefined) this.#options.onAllowed(objectKey(named), sentMs);
    return response?.allowed !== false;
  }

  #send(
    path: string,
    body: object,
    of: "review" | "dry run" | "other",
    timeoutMs: number,
  ): Promise<Answer | undefined> {
    const { time, random, copy } = this.#options;
    return new Promise((resolve) => {
      time.after(timeoutMs, () => resolve(undefined));
      time.after(random.between(0.1, 2), () => {
        const chosen = copy();
        if (chosen === undefined) return;
        void chosen.request(path, body, of).then((answer) => time.after(random.between(0.1, 2), () => resolve(answer)));
      });
    });
  }

  #tell(event: object): void {
    const { time, random } = this.#options;
    if (!this.#options.audits || this.#is(this.faults.lost)) return;
    this.#told.push(event);
    const times = this.#is(this.faults.doubled) ? 2 : 1;
    for (let copy = 0; copy < times; copy += 1) {
      this.pending += 1;
      time.after(this.#is(this.faults.late) ? random.between(100, 8_000) : random.between(0, 5), () => {
        this.#events.push(event);
        this.#flushSoon();
      });
    }
  }

  tellAgain(): void {
    const { random } = this.#options;
    const shuffled = this.#told.map((event) => ({ event, place: random.below(1_000) }));
    shuffled.sort((a, b) => a.place - b.place);
    this.#events.push(...shuffled.map(({ event }) => event));
    this.pending += shuffled.length;
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#options.time.after(this.#options.random.between(1, 50), () => {
      this.#isFlushing = false;
      const batch = this.#events;
      this.#events = [];
      void this.#deliver(batch);
    });
  }

  async #deliver(batch: readonly object[]): Promise<void> {
    const { time } = this.#options;
    for (;;) {
      const answer = await this.#send("/audit?timeout=30s", eventList(batch), "other", auditTimeoutMs);
      if (answer?.status === 200) break;
      await time.wait(auditRetryMs);
    }
    this.pending -= batch.length;
  }

  #next(): string {
    this.#last += 1 + this.#options.random.below(3);
    // No object has one version twice, as it were one in a million: each of a cluster's pasts has versions of its own.
    while (this.#last % maxPasts !== this.#restores % maxPasts) this.#last += 1;
    return this.version;
  }

  /** Never again, whatever its etcd goes back to. */
  #uid(): string {
    this.#uids += 1;
    return `uid-${this.#uids}`;
  }

  #id(): string {
    this.#ids += 1;
    return `id-${this.#ids}`;
  }

  #is(inSoMany: number): boolean {
    return inSoMany > 0 && this.#options.random.one(inSoMany);
  }
}

/** Of Secrets no more than names is ever in an audit log. */
function isTold({ kind }: WireObject): boolean {
  return kind !== "Secret";
}

function sameContent(one: WireObject, other: WireObject): boolean {
  return JSON.stringify(contentOf(one)) === JSON.stringify(contentOf(other));
}

function contentOf({ metadata, ...rest }: WireObject): unknown {
  const { resourceVersion: _, ...kept } = metadata;
  return [rest, Object.entries(kept).sort(([a], [b]) => (a < b ? -1 : 1))];
}
