/** The cluster: it keeps objects, asks for reviews, and tells each write to some Entrance until one has acknowledged it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Content } from "../../simulate/objects.ts";
import type { Random } from "../../simulate/random.ts";
import {
  auditEvent,
  deletedStatus,
  eventList,
  type Operation,
  objectKey,
  review,
  type WireObject,
} from "../../simulate/wire.ts";

/** As the webhook configurations say. */
const reviewMs = 3_000;
const auditMs = 30_000;
const flushMs = 40;
const maxBatches = 4;
/** Before it comes again; an apiserver waits for 10 s. */
const firstPauseMs = 100;
const maxPauseMs = 2_000;
/** One in so many: writes that no webhook was asked about, events that are told twice. */
const unreviewed = 3;
const doubled = 20;

export class Cluster {
  readonly objects = new Map<string, WireObject>();
  /** Answers that no webhook should give. */
  readonly faults: string[] = [];
  readonly figures = { changes: 0, acknowledged: 0, denied: 0, retries: 0 };
  /** What was said last to who is to come again. */
  lastRefusal = "";
  readonly #random: Random;
  /** Any of them. */
  readonly #url: () => string;
  readonly #busy = new Set<string>();
  #events: { readonly event: object; readonly onTold: () => void }[] = [];
  #batches = 0;
  #version = 1_000;
  #ids = 0;
  #pending = 0;

  constructor(random: Random, url: () => string) {
    this.#random = random;
    this.#url = url;
  }

  /** How many writes are under way, or not acknowledged yet. */
  get pending(): number {
    return this.#pending;
  }

  /** Resolves when it is acknowledged: true; false where it was denied, or is being written already. */
  put(content: Content): Promise<boolean> {
    const { metadata, kind, apiVersion, ...rest } = content;
    return this.#alone(objectKey(content), async (key) => {
      const old = this.objects.get(key);
      const { uid, resourceVersion, creationTimestamp } = old?.metadata ?? {
        uid: this.#id("uid"),
        resourceVersion: undefined,
        creationTimestamp: metadata.creationTimestamp,
      };
      const identity = { uid, creationTimestamp, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
      const object: WireObject = { kind, apiVersion, ...rest, metadata: { ...metadata, ...identity } };
      return this.#write(old === undefined ? "CREATE" : "UPDATE", key, object, old);
    });
  }

  delete(key: string): Promise<boolean> {
    return this.#alone(key, async () => {
      const old = this.objects.get(key);
      return old !== undefined && this.#write("DELETE", key, undefined, old);
    });
  }

  async #alone(key: string, write: (key: string) => Promise<boolean>): Promise<boolean> {
    if (this.#busy.has(key)) return false;
    this.#busy.add(key);
    this.#pending += 1;
    try {
      return await write(key);
    } finally {
      this.#pending -= 1;
    }
  }

  async #write(operation: Operation, key: string, object?: WireObject, old?: WireObject): Promise<boolean> {
    const named = object ?? old;
    if (named === undefined) throw new Error("a write is of an object");
    // Of a Secret nothing but reviews tells: who writes one tries until one was answered.
    const isSecret = named.kind === "Secret";
    const isAsked = isSecret || !this.#random.one(unreviewed);
    const body = review(this.#id("review"), operation, object, old, false);
    const isAllowed = isAsked ? await this.#isAllowed(body, isSecret) : true;
    if (!isAllowed) {
      this.figures.denied += 1;
      this.#busy.delete(key);
      return false;
    }
    this.figures.changes += 1;
    this.#version += 1 + this.#random.below(3);
    const kept = { ...named, metadata: { ...named.metadata, resourceVersion: String(this.#version) } };
    if (operation === "DELETE") this.objects.delete(key);
    else this.objects.set(key, kept);
    this.#busy.delete(key);
    if (!isSecret) {
      const answer = operation === "DELETE" && this.#random.one(2) ? deletedStatus(kept) : kept;
      await this.#tell(auditEvent(this.#id("audit"), operation, kept, answer, true));
    }
    this.figures.acknowledged += 1;
    return true;
  }

  /** Nobody who answers in time means yes: `failurePolicy: Ignore`. */
  async #isAllowed(body: object, mustBeAsked: boolean): Promise<boolean> {
    for (let pauseMs = firstPauseMs; ; pauseMs = await this.#pause(pauseMs)) {
      const answer = await this.#post("/admission", body, reviewMs);
      if (answer !== undefined) return (answer as { response: { allowed: boolean } }).response.allowed;
      if (!mustBeAsked) return true;
    }
  }

  #tell(event: object): Promise<void> {
    return new Promise((resolve) => {
      const told = { event, onTold: resolve };
      if (this.#random.one(doubled)) this.#events.push(told);
      this.#events.push(told);
      this.#flushSoon();
    });
  }

  /** Several batches at a time, so that they overtake each other. */
  #flushSoon(): void {
    if (this.#batches === maxBatches || this.#events.length === 0) return;
    this.#batches += 1;
    setTimeout(() => void this.#flush(), flushMs);
  }

  async #flush(): Promise<void> {
    const batch = this.#events;
    this.#events = [];
    if (batch.length > 0) await this.#deliver(eventList(batch.map(({ event }) => event)));
    for (const { onTold } of batch) onTold();
    this.#batches -= 1;
    this.#flushSoon();
  }

  async #deliver(body: object): Promise<void> {
    for (let pauseMs = firstPauseMs; ; pauseMs = await this.#pause(pauseMs)) {
      const counts = await this.#post("/audit", body, auditMs);
      if (counts === undefined) continue;
      if ((counts as { unusable: number }).unusable !== 0) this.faults.push(`unusable: ${JSON.stringify(counts)}`);
      return;
    }
  }

  /** Returns how long the next one is. */
  async #pause(ms: number): Promise<number> {
    this.figures.retries += 1;
    await sleep(this.#random.between(ms / 2, ms));
    return Math.min(ms * 2, maxPauseMs);
  }

  /** Undefined: come again. */
  async #post(path: string, body: object, withinMs: number): Promise<unknown> {
    try {
      const signal = AbortSignal.timeout(withinMs);
      const answer = await fetch(this.#url() + path, { method: "POST", body: JSON.stringify(body), signal });
      const text = await answer.text();
      if (answer.status === 200) return JSON.parse(text);
      this.lastRefusal = text;
      if (answer.status !== 503) this.faults.push(`${path}: ${answer.status} ${text}`);
    } catch (error) {
      // Nobody there, or an answer that broke off.
      this.lastRefusal = String(error);
    }
    return undefined;
  }

  #id(of: string): string {
    this.#ids += 1;
    return `${of}-${this.#ids}`;
  }
}
