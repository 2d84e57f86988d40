/** The next revision of each balancer as a turn gathers it: digest, resources, and what its log entry names. */
import type { Resource } from "../plugins/port.ts";
import { type Check, maxValueBytes, type Version, type Write } from "../store/port.ts";
import { firstHead, type Head, readHead } from "./head.ts";
import { headKey, logKey } from "./keys.ts";
import { keptRevisions, type LogEntry } from "./log-entry.ts";
import type { Context } from "./settings.ts";

/** A revision of a balancer that has become durable. */
export interface Committed {
  readonly balancer: string;
  readonly head: Head;
  readonly resources: readonly Resource[];
}

/** What one object changes on one balancer. */
export interface BalancerChange {
  readonly balancer: string;
  readonly digest: string;
  readonly resources: readonly Resource[];
}

/** What one object changes; it is named by its referenceKey. */
export interface ObjectChange {
  readonly object: string;
  readonly balancers: readonly BalancerChange[];
}

interface Pending {
  digest: string;
  /** By object: keys that changed or went. */
  readonly changed: Map<string, Set<string>>;
  readonly resources: Map<string, Resource>;
  /** What its log entry will have at most. */
  logBytes: number;
}

/** A head, a log entry, and the log entry that is trimmed. */
const keysPerBalancer = 3;
const noChange: ObjectChange = { object: "", balancers: [] };

export class Revisions {
  readonly #context: Context;
  readonly #heads = new Map<string, { head: Head; version: Version | null }>();
  readonly #pending = new Map<string, Pending>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** The head as it will be after the next commit but for its revision, which then is one more. */
  async head(balancer: string): Promise<Head> {
    const { head } = await this.#stored(balancer);
    const pending = this.#pending.get(balancer);
    return pending === undefined ? head : { ...head, digest: pending.digest };
  }

  /** What the next commit takes for revisions if this comes on top; undefined: this must be a revision of its own. */
  roomWith({ object, balancers }: ObjectChange = noChange): { keys: number; bytes: number } | undefined {
    const names = new Set([...this.#pending.keys(), ...balancers.map((each) => each.balancer)]);
    let bytes = 0;
    for (const { logBytes } of this.#pending.values()) bytes += Math.min(logBytes, maxValueBytes);
    for (const change of balancers) {
      const logged = this.#pending.get(change.balancer)?.logBytes ?? 0;
      const added = logBytesOf(change, object);
      if (logged > 0 && logged + added > maxValueBytes) return undefined;
      bytes += Math.min(added, maxValueBytes);
    }
    return { keys: names.size * keysPerBalancer, bytes };
  }

  add({ object, balancers }: ObjectChange): void {
    for (const change of balancers) {
      const { balancer, digest, resources } = change;
      const empty: Pending = { digest, changed: new Map(), resources: new Map(), logBytes: 0 };
      const pending = this.#pending.get(balancer) ?? empty;
      pending.digest = digest;
      pending.logBytes += logBytesOf(change, object);
      const keys = pending.changed.get(object) ?? new Set();
      for (const resource of resources) {
        keys.add(resource.key);
        pending.resources.set(resource.key, resource);
      }
      pending.changed.set(object, keys);
      this.#pending.set(balancer, pending);
    }
  }

  /** The heads, log entries and trimmings that make what is pending one revision of each balancer. */
  async staged(): Promise<{ checks: Check[]; writes: Write[]; heads: ReadonlyMap<string, Head> }> {
    const checks: Check[] = [];
    const writes: Write[] = [];
    const heads = new Map<string, Head>();
    for (const [balancer, { digest, changed, logBytes }] of this.#pending) {
      const { head, version } = await this.#stored(balancer);
      const next: Head = { ...head, revision: head.revision + 1, digest };
      const named = Object.fromEntries([...changed].map(([name, keys]) => [name, [...keys]]));
      const entry: LogEntry = { changed: logBytes > maxValueBytes ? null : named };
      heads.set(balancer, next);
      checks.push({ key: headKey(balancer), version });
      writes.push({ key: headKey(balancer), value: JSON.stringify(next) });
      writes.push({ key: logKey(balancer, next.revision), value: JSON.stringify(entry) });
      const old = next.revision - keptRevisions;
      if (old > 0) writes.push({ key: logKey(balancer, old), value: null });
    }
    return { checks, writes, heads };
  }

  landed(heads: ReadonlyMap<string, Head>, version: Version): Committed[] {
    const committed: Committed[] = [];
    for (const [balancer, head] of heads) {
      this.#heads.set(balancer, { head, version });
      committed.push({ balancer, head, resources: [...(this.#pending.get(balancer)?.resources.values() ?? [])] });
      this.#context.counters.add("entrance_revisions_total", { balancer });
    }
    this.#pending.clear();
    return committed;
  }

  /** Only the lock's holder writes heads, so one read is good for the whole turn. */
  async #stored(balancer: string): Promise<{ head: Head; version: Version | null }> {
    const known = this.#heads.get(balancer);
    if (known !== undefined) return known;
    const entry = await this.#context.store.get(headKey(balancer));
    // A balancer that has gone from the settings may still have wants, and no head; or the store went back to before it.
    const stored = {
      head: readHead(entry) ?? firstHead(this.#context.randomId(), this.#context.kubernetes === undefined),
      version: entry?.version ?? null,
    };
    this.#heads.set(balancer, stored);
    return stored;
  }
}

/** Keys are plain ASCII; each comes with quotes and a comma, an object with an array beside. */
function logBytesOf({ resources }: BalancerChange, object: string): number {
  return resources.reduce((sum, { key }) => sum + key.length + 3, object.length + 20);
}
