/** Invariant 7 of all routes, as far as a store shows it: at each commit every rule has its pools. */
import { dirtyKey, seenKey, wantKey } from "../../../shared/reconcile/keys.ts";
import { readSeen, seenHash } from "../../../shared/reconcile/seen.ts";
import type { ModelStore } from "../store.ts";
import { readWant } from "./wants.ts";

export class Routes {
  readonly #store: ModelStore;
  readonly #fault: (sentence: string) => void;
  /** `BALANCER KEY` of each pool. */
  readonly #pools = new Set<string>();
  /** By pool: the rules that lead there. */
  readonly #rules = new Map<string, Set<string>>();
  /** By rule: its pools. */
  readonly #leads = new Map<string, readonly string[]>();
  /** Rules that may have lost a pool with this commit. */
  #doubtful = new Set<string>();

  constructor(store: ModelStore, fault: (sentence: string) => void) {
    this.#store = store;
    this.#fault = fault;
  }

  has(balancer: string, key: string, value: unknown): void {
    const name = `${balancer} ${key}`;
    if (key.startsWith("Pool/")) this.#pools.add(name);
    if (!key.startsWith("Rule/")) return;
    this.#forget(name);
    const { pools } = value as { pools: readonly { readonly pool: string }[] };
    const leads = pools.map(({ pool }) => `${balancer} ${pool}`);
    this.#leads.set(name, leads);
    for (const pool of leads) {
      const rules = this.#rules.get(pool) ?? new Set();
      rules.add(name);
      this.#rules.set(pool, rules);
    }
    this.#doubtful.add(name);
  }

  lacks(balancer: string, key: string): void {
    const name = `${balancer} ${key}`;
    if (key.startsWith("Rule/")) this.#forget(name);
    if (!this.#pools.delete(name)) return;
    for (const rule of this.#rules.get(name) ?? []) this.#doubtful.add(rule);
  }

  /** Once all of a commit is in. */
  check(): void {
    if (this.#doubtful.size === 0) return;
    const doubtful = this.#doubtful;
    this.#doubtful = new Set();
    for (const rule of doubtful) {
      for (const pool of this.#leads.get(rule) ?? []) {
        if (!this.#pools.has(pool) && this.#couldBe(pool))
          this.#fault(`7: ${rule} leads to ${pool}, which is not there`);
      }
    }
  }

  #forget(rule: string): void {
    for (const pool of this.#leads.get(rule) ?? []) this.#rules.get(pool)?.delete(rule);
    this.#leads.delete(rule);
  }

  /** Not where its Service has no such port any more, or will be translated: it may change together with its routes. */
  #couldBe(pool: string): boolean {
    const [, namespace = "", name = "", port = ""] = (pool.split(" ")[1] ?? "").split("/");
    const reference = { kind: "Service", namespace, name } as const;
    const seen = readSeen(this.#store.get(seenKey(reference)));
    const want = this.#store.get(wantKey(reference));
    if (this.#store.get(dirtyKey(reference)) !== undefined || want === undefined) return false;
    if (readWant(this.#store, `Service/${namespace}/${name}`, want.value).seen !== seenHash(seen)) return false;
    return seen?.object?.kind === "Service" && seen.object.ports.some((known) => String(known.port) === port);
  }
}
