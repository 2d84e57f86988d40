/** What a store wants served, and which rules of it lead nowhere. */
import { contestKinds, parseReferenceKey, referenceKey, seenKinds } from "../../shared/model/reference.ts";
import { wantPartition } from "../../shared/reconcile/keys.ts";
import { listAll } from "../../shared/reconcile/list-all.ts";
import { readWant, type Want } from "../../shared/reconcile/want.ts";
import type { Store } from "../../shared/store/port.ts";

/** All wants by referenceKey. */
export async function wantsOf(store: Store): Promise<Map<string, Want>> {
  const wants = new Map<string, Want>();
  for (const kind of [...seenKinds, ...contestKinds]) {
    for (const entry of await listAll(store, wantPartition(kind))) {
      const reference = parseReferenceKey(`${kind}/${entry.key.sort}`);
      if (reference !== undefined) wants.set(referenceKey(reference), (await readWant(store, reference)).want);
    }
  }
  return wants;
}

function poolsOfRule(value: unknown): string[] {
  if (typeof value !== "object" || value === null || !("pools" in value) || !Array.isArray(value.pools)) return [];
  return value.pools.map((each: unknown) =>
    typeof each === "object" && each !== null && "pool" in each ? String(each.pool) : "",
  );
}

/** `BALANCER RULE without WHAT`; with `members` also pools that nothing is a member of. */
export function dangling(wants: ReadonlyMap<string, Want>, members: "members" | "pools"): string[] {
  const wrong: string[] = [];
  const balancers = new Set([...wants.values()].flatMap((want) => Object.keys(want.resources)));
  for (const balancer of balancers) {
    const all = new Map([...wants.values()].flatMap((want) => Object.entries(want.resources[balancer] ?? {})));
    const withMembers = new Set(
      [...all.keys()].filter((key) => key.startsWith("Node/")).map((key) => key.replace(/^Node(.*)\/[^/]*$/, "Pool$1")),
    );
    for (const [key, { value }] of all) {
      for (const pool of poolsOfRule(value)) {
        if (!all.has(pool)) wrong.push(`${balancer} ${key} without ${pool}`);
        else if (members === "members" && !withMembers.has(pool)) wrong.push(`${balancer} ${key} without members`);
      }
    }
  }
  return wrong;
}

/** The store, with a look at all wants after each commit that changes one: `onWants` hears of them. */
export function watchedStore(store: Store, onWants: (wants: ReadonlyMap<string, Want>) => void): Store {
  return {
    get: (key) => store.get(key),
    list: (partition, after, limit) => store.list(partition, after, limit),
    async commit(checks, writes) {
      const result = await store.commit(checks, writes);
      if (writes.some(({ key }) => key.partition.startsWith("want/"))) onWants(await wantsOf(store));
      return result;
    },
    close: () => store.close(),
  };
}
