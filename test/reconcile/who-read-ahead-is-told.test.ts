/** A reader may see an object before the object's own turn comes; by then it may be again what it was before. */
import { expect, test } from "vitest";
import { seenPartition } from "../../shared/reconcile/keys.ts";
import { trigger } from "../../shared/reconcile/trigger.ts";
import { runTurns } from "../../shared/reconcile/turn.ts";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import type { Store } from "../../shared/store/port.ts";
import { newTestEntrance } from "../harness/entrance.ts";
import { gone, observed, seenIngress, seenService, seenSlice } from "../harness/seen.ts";
import { dangling, wantsOf } from "../harness/served.ts";

const web = seenService("shop", "web");
const slice = seenSlice("shop", "web", ["10.0.0.1"]);
const ingress = seenIngress("shop", "web", ["www.shop.example"], "web");

test("a Service that is changed and changed back around the reading of an Ingress", async () => {
  const plain = openMemoryStore();
  let afterRead: (() => Promise<unknown>) | undefined;
  const store: Store = {
    ...plain,
    async get(key) {
      const entry = await plain.get(key);
      const then = key.partition === seenPartition("Service") ? afterRead : undefined;
      if (then !== undefined) {
        afterRead = undefined;
        await then();
      }
      return entry;
    },
  };
  const test = newTestEntrance({ store });
  const other = newTestEntrance({ store: plain });
  await test.entrance.observe([observed(web, 1), observed(slice, 2), observed(ingress, 3)]);
  await test.host.settled();
  const more = seenIngress("shop", "web", ["www.shop.example", "shop.example"], "web");
  const { lock } = await trigger(test.context, [observed(more, 4)]);
  await trigger(other.context, [observed({ ...web, ports: [] }, 5)]);
  afterRead = () => trigger(other.context, [observed(web, 6)]);
  if (lock === undefined) throw new Error("not acquired");
  await runTurns(test.context, lock, (committed) => test.entrance.pusher.committed(committed));
  await test.host.settled();
  const [rule] = [...test.node().resources.values()].filter(({ key }) => key.startsWith("Rule/"));
  expect(afterRead).toBeUndefined();
  expect(rule?.value).toMatchObject({ pools: [{ pool: "Pool/shop/web/80" }] });
});

test("a Service that goes before it could be translated", async () => {
  const { translate } = newTestEntrance().context;
  const test = newTestEntrance({
    translate: (subject, settings) => {
      if (subject.object?.kind === "Service") throw new Error("boom");
      return translate(subject, settings);
    },
  });
  await test.entrance.observe([observed(web, 1)]);
  await test.entrance.observe([observed(ingress, 2)]);
  await test.host.settled();
  await test.entrance.observe([gone(web, 3)]);
  await test.host.settled();
  expect(dangling(await wantsOf(test.context.store), "pools")).toEqual([]);
});
