/** What the protocol is run with. Times in milliseconds; the defaults are those of ARCHITECTURE.md, "The lock". */
import type { Cluster } from "../kubernetes/port.ts";
import type { StatusApi } from "../kubernetes/status-port.ts";
import type { Plugin } from "../plugins/port.ts";
import type { SecretKeeper } from "../sealing/secret-keeper.ts";
import type { Store } from "../store/port.ts";
import type { Subject, Translating, TranslationSettings } from "../translate/translation.ts";
import type { HeldLock } from "./lock.ts";

export interface Timing {
  /** How long a lock is good for without being extended. */
  readonly leaseMs: number;
  /** How far two clocks may be apart before a takeover happens too early; early ones do no harm, only double work. */
  readonly clockMarginMs: number;
  /** Due marks, expired holders and nodes that are behind are looked for this often. */
  readonly timerMs: number;
  readonly pushTimeoutMs: number;
  readonly pushBackoffMaxMs: number;
  /** Each node's digest is compared this often. */
  readonly digestMs: number;
  /** Everything is listed this often, where there is an API to list it from. */
  readonly listMs: number;
}

export const defaultTiming: Timing = {
  leaseMs: 10_000,
  clockMarginMs: 2_000,
  timerMs: 5_000,
  pushTimeoutMs: 3_000,
  // Below the timer, so that a node that returns is at the head within one period.
  pushBackoffMaxMs: 4_000,
  digestMs: 60_000,
  listMs: 300_000,
};

export interface Balancer {
  readonly name: string;
  readonly classes: readonly string[];
  readonly plugin: Plugin;
  /** URLs of the nodes' admin APIs. */
  readonly nodes: readonly string[];
  /** Public addresses, for people and for status. */
  readonly addresses: readonly string[];
}

/** What a host offers beside requests. */
export interface Host {
  /**
   * Runs work after the answer was given; the host stays alive for it. It never rejects. With a lock the work is
   * Entrance's `resume` of it, which a host that stands still after its answer has another process do.
   */
  after(work: () => Promise<void>, lock?: HeldLock): void;
  /** Nothing runs between its answers: what it knows of nodes is as old as what it was last asked. */
  readonly standsStill?: true;
  /** It is about to be stopped: a turn that is under way ends what it has begun, frees the lock and asks to be woken. */
  isOutOfTime?(): boolean;
  /** Asks for a tick at that time (ms since 1970); an earlier wish is kept. */
  wakeAt(timeMs: number): void;
}

/** Everything that the rooms of reconcile need from outside; made by an entry or a test. */
export interface Context {
  readonly store: Store;
  /** No other process can write the store (the embedded ones): a lock that stands at the start is a dead process's. */
  readonly isSoleWriter: boolean;
  readonly balancers: readonly Balancer[];
  readonly translation: TranslationSettings;
  /** Of these settings: of two copies that differ the one with the greater counts. */
  readonly generation?: number;
  readonly translate: (subject: Subject, settings: TranslationSettings) => Translating;
  readonly secrets: SecretKeeper;
  /** Where objects are read back from, and listed; absent: no API is configured, and what is allowed counts as seen. */
  readonly kubernetes?: Cluster;
  /** Where users are told of addresses and refusals. */
  readonly status?: StatusApi;
  readonly timing: Timing;
  readonly host: Host;
  readonly now: () => number;
  /** Random, 32 hex digits. */
  readonly randomId: () => string;
  /** Names this process as the lock's holder. */
  readonly instance: string;
  readonly counters: Counters;
  /** One line about what went wrong; never with a secret or a user's text beyond object names. */
  readonly warn: (sentence: string) => void;
}

/** Counters by name and label; functions/metrics.ts prints them. */
export interface Counters {
  add(name: string, labels?: Readonly<Record<string, string>>, by?: number): void;
}
