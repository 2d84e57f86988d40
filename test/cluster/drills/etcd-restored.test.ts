/** The cluster's etcd is restored from an older backup: the era rises, and what the LIST says is the truth. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../api.ts";
import { command } from "../command.ts";
import { ingress, service, web } from "../objects.ts";
import { World } from "../world.ts";
import { application, counter, isFull, outcome, stopwatch, trafficTo } from "./drill.ts";

let world: World;
const within = "restored";
const host = "restored.example";

beforeAll(async () => {
  world = await World.start();
  await application(world, within, host);
  await world.apply(web(within, "two", 1), service(within, "two"));
  await world.apply(ingress(within, "other", "other.restored.example", { to: "two" }));
  await world.answers("other.restored.example", 200);
});

afterAll(() => world?.stop());

const ways = [
  ["as it was", [], true],
  // No version comes twice, so that caches of the cluster's clients are not misled: nor are we.
  ["with its versions raised", ["--bump-revision", "1000000000", "--mark-compacted"], false],
] as const;

test.each(isFull ? ways : ways.slice(0, 1))("restored %s", { timeout: 600_000 }, async (way, more, isEarlier) => {
  const name = way.replaceAll(" ", "-");
  const [deleted, created, moved] = ["deleted", "created", "moved"].map((what) => `${what}-${name}.restored.example`);
  if (deleted === undefined || created === undefined || moved === undefined) throw new Error("three hosts");
  await world.apply(
    ingress(within, `deleted-${name}`, deleted, { to: "web" }),
    ingress(within, `moved-${name}`, moved, { to: "web" }),
  );
  await world.answers(deleted, 200);
  await world.answers(moved, 200);
  const file = String(await command(world.facts.commands, { do: "backup", name }));
  await world.api.delete(ingress(within, `deleted-${name}`, deleted));
  await world.apply(
    ingress(within, `created-${name}`, created, { to: "web" }),
    ingress(within, `moved-${name}`, moved, { to: "two" }),
  );
  await world.answers(deleted, 404);
  await world.answers(created, 200);
  await until("it has moved", async () => (await world.pods(moved, 1)).values().next().value?.startsWith("two-"));
  const eras = await counter(world, "entrance_eras_total");

  const traffic = trafficTo(world, host);
  await command(world.facts.commands, { do: "restore", file, more: [...more] });
  const since = stopwatch();
  // What the CronJob does every five minutes.
  await world.installed.resync();
  await world.answers(deleted, 200);
  await world.answers(created, 404);
  await until("it is back", async () => (await world.pods(moved, 1)).values().next().value?.startsWith("web-"));
  const counted = await traffic.stop();
  outcome(`etcd restored (${way})`, `${since()} later nodes had what the backup has`, counted);
  expect(counted.wrong).toEqual([]);
  if (isEarlier) expect(await counter(world, "entrance_eras_total")).toBeGreaterThan(eras);
  // Life goes on, at versions that have been before.
  await world.apply(ingress(within, `after-${name}`, `after-${name}.restored.example`, { to: "web" }));
  await world.answers(`after-${name}.restored.example`, 200);
});
