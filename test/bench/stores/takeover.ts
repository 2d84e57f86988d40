/** The lock's holder is killed in the middle of a turn: until another copy has brought all that was acknowledged to all nodes. */
import { setTimeout as sleep } from "node:timers/promises";
import { dirtyPartition, lockKey } from "../../../shared/reconcile/keys.ts";
import { readLock } from "../../../shared/reconcile/lock.ts";
import type { Store } from "../../../shared/store/port.ts";
import type { EntranceProcess } from "../../harness/entrance-process.ts";
import type { Place, StoreName, Stores } from "../../harness/every-store.ts";
import { rounded } from "../statistics.ts";
import { Field, isOk } from "./field.ts";
import { hostOf, ingressOf, serviceOf } from "./routes.ts";

const routes = 600;
const tries = 2;
const holdWithinMs = 10_000;

/** Seconds, the longest of the tries. With the embedded store it is the same process that comes back. */
export async function benchTakeover(stores: Stores, name: StoreName, say: (line: string) => void): Promise<number> {
  let longest = 0;
  const place = await stores.place(name);
  await using field = await Field.start(place, name === "embedded" ? 1 : 2);
  for (let again = 0; again < tries; again += 1) {
    say(`the holder is killed on ${name}, ${again + 1} of ${tries}`);
    longest = Math.max(longest, await takeover(field, place, name, again * routes));
  }
  return rounded(longest, 2);
}

async function takeover(field: Field, place: Place, name: StoreName, first: number): Promise<number> {
  const all = Array.from({ length: routes }, (_, index) => first + index);
  await field.tell(
    all.filter((route) => route % 10 === 0).flatMap((route) => serviceOf(route, field.backends[0].port)),
  );
  await field.tell([ingressOf(first)]);
  await field.served([hostOf(first)], isOk);
  const byInstance = new Map<string, EntranceProcess>();
  for (const entrance of field.entrances) byInstance.set((await entrance.status()).instance, entrance);
  await field.tell(all.map((route) => ingressOf(route)));
  // The embedded one is nobody else's to look at while its process lives.
  const [sole] = field.entrances;
  const holder = name === "embedded" && sole ? sole : await looking(place, (store) => stoppedHolder(store, byInstance));
  await holder.kill9();
  const killed = performance.now();
  const left = await looking(place, (store) => store.list(dirtyPartition, undefined, 1));
  if (left.entries.length === 0) throw new Error(tooFew);
  if (name === "embedded") await holder.start();
  await field.served(all.map(hostOf), isOk);
  const seconds = (performance.now() - killed) / 1_000;
  if (name !== "embedded") await holder.start();
  return seconds;
}

async function looking<T>(place: Place, look: (store: Store) => Promise<T>): Promise<T> {
  const store = await place.open();
  try {
    return await look(store);
  } finally {
    await store.close();
  }
}

const tooFew = "no turn was under way when all was acknowledged: more routes are needed";

/** All is acknowledged by now; a turn that is under way has the lock. Whoever has it is stopped with it in its hand. */
async function stoppedHolder(store: Store, byInstance: ReadonlyMap<string, EntranceProcess>): Promise<EntranceProcess> {
  const holderNow = async () => readLock(await store.get(lockKey)).holder;
  for (const end = performance.now() + holdWithinMs; performance.now() < end; await sleep(1)) {
    const name = await holderNow();
    const holder = byInstance.get(name);
    if (holder === undefined) continue;
    holder.signal("SIGSTOP");
    if ((await holderNow()) === name) return holder;
    holder.signal("SIGCONT");
  }
  throw new Error(tooFew);
}
