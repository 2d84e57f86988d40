/** The apiserver can't reach the webhooks while everything changes: writes go on, and the LIST finds what was missed. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../api.ts";
import { askEntrance } from "../installed.ts";
import { ingress } from "../objects.ts";
import { World } from "../world.ts";
import { application, isFull, outcome, stopwatch, Traffic } from "./drill.ts";

let world: World;
const within = "unreachable";
const host = "unreachable.example";
/** A LIST every five minutes, as it is by default; every ten seconds for the short drill. */
const listSeconds = isFull ? 300 : 10;
const awayMs = isFull ? 600_000 : 25_000;
const changeEveryMs = isFull ? 2_000 : 500;
const configurations = ["entrance", "entrance-endpointslices"].map((name) => ({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingWebhookConfiguration",
  metadata: { name },
}));

beforeAll(async () => {
  world = await World.start({ ENTRANCE_LIST_SECONDS: String(listSeconds) });
  await application(world, within, host);
});

afterAll(() => world?.stop());

/** No such port: a configuration that changes is called on new connections, so that it takes effect at once. */
async function callAt(port: number): Promise<void> {
  for (const configuration of configurations) {
    const found = await world.api.get(configuration);
    const webhooks = (found?.["webhooks"] ?? []) as { clientConfig: { service: object } }[];
    await world.api.merge(configuration, {
      webhooks: webhooks.map((webhook) => ({
        ...webhook,
        clientConfig: { ...webhook.clientConfig, service: { ...webhook.clientConfig.service, port } },
      })),
    });
  }
}

test("no webhook while routes come, move and go", { timeout: 1_200_000 }, async () => {
  const traffic = new Traffic(world, host);
  await callAt(444);
  // The apiserver takes a moment to know it.
  await sleep(2_000);
  const names: string[] = [];
  let slowestMs = 0;
  for (const end = Date.now() + awayMs; Date.now() < end; await sleep(changeEveryMs)) {
    const name = `r${names.length}`;
    const begun = performance.now();
    await world.apply(ingress(within, name, `${name}.unreachable.example`, { to: "web" }));
    slowestMs = Math.max(slowestMs, performance.now() - begun);
    names.push(name);
    const old = names.length % 3 === 0 ? names.at(-3) : undefined;
    if (old !== undefined) await world.api.delete(ingress(within, old, ""));
  }
  const since = stopwatch();
  const isGone = (index: number) => index % 3 === 0 && index + 2 < names.length;
  await until(
    "everything is as it was written",
    async () => {
      for (const [index, name] of names.entries()) {
        const { status } = await world.node.get(`${name}.unreachable.example`);
        if (status !== (isGone(index) ? 404 : 200)) return false;
      }
      return true;
    },
    (listSeconds + 60) * 1_000,
  );
  const found = since();
  const [address = ""] = await world.installed.addresses();
  const heard = /last review: (\d+) s ago/.exec(String(await askEntrance(address, "/readyz")))?.[1];

  await callAt(443);
  await sleep(2_000);
  await world.apply(ingress(within, "back", "back.unreachable.example", { to: "web" }));
  const back = stopwatch();
  await world.answers("back.unreachable.example", 200);
  const counted = await traffic.stop();
  outcome(
    "webhook unreachable",
    `${names.length} routes written within ${awayMs / 1_000} s, none slower than ${Math.round(slowestMs)} ms; ${found} after ` +
      `the last one a LIST had found all (one every ${listSeconds} s), /readyz said that the last review was ${heard} s ago; ` +
      `with the webhook back a new route took ${back()}`,
    counted,
  );
  expect([...counted.failed]).toEqual([]);
  expect(Number(heard)).toBeGreaterThanOrEqual(Math.floor(awayMs / 1_000));
});
