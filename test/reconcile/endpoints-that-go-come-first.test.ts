/** In a burst the loss of endpoints is told before anything else: requests fail for as long as nodes do not know. */
import { expect, test } from "vitest";
import { trigger } from "../../shared/reconcile/trigger.ts";
import { newTestEntrance } from "../harness/entrance.ts";
import { observed, seenIngress, seenService, seenSlice } from "../harness/seen.ts";

test("whatever was marked before, and however its name sorts", async () => {
  const test = newTestEntrance();
  const names = ["a", "b", "c", "z"];
  await test.entrance.observe(
    names.flatMap((name) => [
      observed(seenService(name, "web"), 5),
      observed(seenSlice(name, "web", ["10.0.0.1", "10.0.0.2"]), 6),
      observed(seenIngress(name, "web", [`${name}.example`], "web"), 7),
    ]),
  );
  await test.host.settled();

  // The lock is held meanwhile, so that one turn finds all of it.
  const lock = {
    key: { partition: "lock", sort: "lock" },
    value: JSON.stringify({ holder: "x", fence: 99, expires: 9e15 }),
  };
  await test.context.store.commit([], [lock]);
  const more = names
    .slice(0, 3)
    .map((name) => observed(seenSlice(name, "web", ["10.0.0.1", "10.0.0.2", "10.0.0.3"]), 8));
  await trigger(test.context, more);
  await trigger(test.context, [observed(seenSlice("z", "web", ["10.0.0.1"]), 9)]);
  await test.context.store.commit([], [{ key: lock.key, value: null }]);
  const order: string[] = [];
  const { translate } = test.context;
  Object.assign(test.context, {
    translate: (...args: Parameters<typeof translate>) => {
      order.push(`${args[0].reference.kind} ${args[0].reference.namespace}`);
      return translate(...args);
    },
  });
  await test.entrance.tick();
  await test.host.settled();
  // Each is run once in advance for what it asks.
  const worked = order.slice(4);
  expect(worked[0]).toBe("EndpointSlice z");
  expect(worked).toHaveLength(4);
});
