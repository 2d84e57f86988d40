/** The cluster: it keeps objects, asks for reviews, and tells each write to some Entrance until one has acknowledged it. */
import type { Content } from "../../simulate/objects.ts";
import type { Random } from "../../simulate/random.ts";
import { auditEvent, deletedStatus, type Operation, objectKey, review, type WireObject } from "../../simulate/wire.ts";
import { Webhooks } from "./webhooks.ts";

/** One in so many: writes that no webhook was asked about. */
const unreviewed = 3;

export class Cluster {
  readonly objects = new Map<string, WireObject>();
  readonly figures = { changes: 0, acknowledged: 0, denied: 0 };
  readonly webhooks: Webhooks;
  readonly #random: Random;
  readonly #busy = new Set<string>();
  #version = 1_000;
  #ids = 0;
  #pending = 0;

  constructor(random: Random, url: () => string) {
    this.#random = random;
    this.webhooks = new Webhooks(random.fork(), url);
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
    const isThere = this.objects.has(key);
    return isThere
      ? this.#alone(key, () => this.#write("DELETE", key, undefined, this.objects.get(key)))
      : Promise.resolve(false);
  }

  /** Until it is committed: events of one object may still be under way when the next write begins. */
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
    const isAllowed = isAsked ? await this.webhooks.isAllowed(body, isSecret) : true;
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
      await this.webhooks.tell(auditEvent(this.#id("audit"), operation, kept, answer, true));
    }
    this.figures.acknowledged += 1;
    return true;
  }

  #id(of: string): string {
    this.#ids += 1;
    return `${of}-${this.#ids}`;
  }
}
