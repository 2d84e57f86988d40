/**
 * What becomes of a host name follows from its claims at every commit: on which balancers it is, or a mark says that it
 * is to be translated. At the end alone most of such a fault would be gone, since whoever claims next mends it.
 */
import { dirtyKey, usersPartition, wantKey } from "../../../shared/reconcile/keys.ts";
import type { Claim } from "../../../shared/translate/translation.ts";
import type { ModelStore } from "../store.ts";
import { readWant } from "./wants.ts";

const usersStart = "users/Domain//";

export class Contests {
  readonly #store: ModelStore;
  readonly #fault: (sentence: string) => void;
  /** Hosts whose claims or wants changed since they were looked at. */
  #doubtful = new Set<string>();

  constructor(store: ModelStore, fault: (sentence: string) => void) {
    this.#store = store;
    this.#fault = fault;
  }

  written(partition: string, sort: string): void {
    if (partition.startsWith(usersStart)) this.#doubtful.add(partition.slice(usersStart.length));
    else if (partition === "want/Domain") this.#doubtful.add(sort.slice(1));
  }

  /** Once all of a commit is in. */
  check(): void {
    if (this.#doubtful.size === 0) return;
    const marked = [...this.#doubtful].filter((host) => !this.#look(host));
    this.#doubtful = new Set(marked);
  }

  /** False: it will be translated. */
  #look(host: string): boolean {
    const reference = { kind: "Domain", namespace: "", name: decodeURIComponent(host) } as const;
    if (this.#store.get(dirtyKey(reference)) !== undefined) return false;
    const entry = this.#store.get(wantKey(reference));
    const want = entry === undefined ? undefined : readWant(this.#store, `Domain//${host}`, entry.value);
    const tenant = want?.holding?.type === "domain" ? want.holding.tenant : undefined;
    const claims = this.#claims(usersPartition(reference));
    const claimed = new Set(claims.filter((claim) => claim.tenant === tenant).flatMap(({ balancers }) => balancers));
    const served = Object.keys(want?.resources ?? {});
    if (tenant === undefined && claims.length > 0) this.#fault(`6: ${host} is claimed, and nobody has it`);
    for (const balancer of served) {
      if (!claimed.has(balancer)) this.#fault(`6: ${host} is on ${balancer}, where nobody claims it`);
    }
    for (const balancer of claimed) {
      if (!served.includes(balancer)) this.#fault(`6: ${host} is claimed on ${balancer}, and is not there`);
    }
    return true;
  }

  #claims(partition: string): Extract<Claim, { type: "domain" }>[] {
    const users = this.#store.partitions().get(partition)?.values() ?? [];
    return [...users].flatMap(({ value }) => {
      const { claim }: { claim: Claim | null } = JSON.parse(value);
      return claim?.type === "domain" ? [claim] : [];
    });
  }
}
