/** The lock's holder is killed in the middle of a turn: until another copy has brought all that was acknowledged to all nodes. */
import { setTimeout as sleep } from "node:timers/promises";
import { lockKey } from "../../../shared/reconcile/keys.ts";
import { readLock } from "../../../shared/reconcile/lock.ts";
import type { Store } from "../../../shared/store/port.ts";
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
  const [holder] = field.entrances;
  if (holder === undefined) throw new Error("no Entrance");
  await field.tell(all.map((route) => ingressOf(route)));
  if (name !== "embedded") await held(place);
  await holder.kill9();
  const killed = performance.now();
  if (name === "embedded") await holder.start();
  await field.served(all.map(hostOf), isOk);
  const seconds = (performance.now() - killed) / 1_000;
  if (name !== "embedded") await holder.start();
  return seconds;
}

/** All is acknowledged by now; a turn that is under way has the lock. */
async function held(place: Place): Promise<void> {
  const store: Store = await place.open();
  try {
    for (const end = performance.now() + holdWithinMs; performance.now() < end; await sleep(1)) {
      if (readLock(await store.get(lockKey)).holder !== "") return;
    }
    throw new Error("no turn was under way when all was acknowledged: more routes are needed");
  } finally {
    await store.close();
  }
}
