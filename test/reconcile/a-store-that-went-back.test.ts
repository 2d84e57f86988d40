/** A store that goes back to a backup in the middle of a turn takes no more of that turn: half of it would stay for ever. */
import { expect, test } from "vitest";
import { headKey } from "../../shared/reconcile/keys.ts";
import { Ledger, LockLost } from "../../shared/reconcile/ledger.ts";
import { tryAcquire } from "../../shared/reconcile/lock.ts";
import { newTestEntrance } from "../harness/entrance.ts";

test("each commit of a turn moves the lock on, whatever it writes", async () => {
  const { context } = newTestEntrance();
  const { store } = context;
  const lock = await tryAcquire(context);
  if (lock === undefined) throw new Error("the lock is free");
  const ledger = new Ledger(context, lock, () => undefined);
  const backup = await store.get({ partition: "lock", sort: "lock" });
  const write = (name: string) => ({ writes: [{ key: { partition: "want/Service", sort: name }, value: "{}" }] });
  await ledger.stage(() => write("a/first"));
  await ledger.flush();
  expect((await store.get({ partition: "lock", sort: "lock" }))?.version).not.toBe(backup?.version);
  // As the backup has it.
  await store.commit([], [{ key: { partition: "lock", sort: "lock" }, value: backup?.value ?? "" }]);
  await ledger.stage(() => write("a/second"));
  await expect(ledger.flush()).rejects.toThrow(LockLost);
  expect(await store.get(headKey("openresty"))).toBeUndefined();
});
