/** A balancer that was taken out of the settings: once nothing is wanted of it, its history goes. */

import { emptyDigest } from "../model/digest.ts";
import { EntranceError } from "../model/error.ts";
import { readHead } from "../reconcile/head.ts";
import { headKey } from "../reconcile/keys.ts";
import type { Store } from "../store/port.ts";
import { unknownBalancer } from "./change-head.ts";
import { clearBalancer } from "./clear.ts";

/** Throws `not-found`, `invalid` where objects still want something of it, and `busy` where its head changed meanwhile. */
export async function forget(store: Store, balancer: string): Promise<void> {
  const entry = await store.get(headKey(balancer));
  if (entry === undefined) throw await unknownBalancer(store, balancer);
  if (readHead(entry).digest !== emptyDigest) {
    throw new EntranceError(
      "invalid",
      `objects still want something of balancer ${balancer}: take it out of ENTRANCE_BALANCERS of all copies, raise ` +
        "ENTRANCE_GENERATION, and wait until /status has no marks due",
    );
  }
  await clearBalancer(store, balancer);
  const { ok } = await store.commit([{ key: entry.key, version: entry.version }], [{ key: entry.key, value: null }]);
  if (!ok) throw new EntranceError("busy", `balancer ${balancer} changed meanwhile: it is not forgotten, try again`);
}
