/** The apiserver's buffer of audit events overruns: what was lost is found by the LIST, and counted. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../api.ts";
import { turnAuditOff, turnAuditOn } from "../audit.ts";
import { ingress, service, web } from "../objects.ts";
import { World } from "../world.ts";
import { application, counter, isFull, outcome, stopwatch, trafficTo } from "./drill.ts";
import { OldRoutes } from "./old-routes.ts";

let world: World;
const within = "overrun";
const host = "overrun.example";
const routes = isFull ? 2_000 : 200;
const writers = 16;
/** So many pairs of routes go and move among those that come: of that, too, most is not told. */
const pairs = 5;

beforeAll(async () => {
  world = await World.start();
  await application(world, within, host);
  await world.apply(web(within, "two", 1), service(within, "two"));
});

afterAll(async () => {
  await turnAuditOff(world);
  await world?.stop();
});

test("more events than the buffer holds, and no webhook beside them", { timeout: 900_000 }, async () => {
  const old: OldRoutes[] = [];
  for (let pair = 0; pair < pairs; pair += 1) old.push(await OldRoutes.serve(world, within, `old-${pair}`));
  // Ten events at most, and a batch of them each second.
  await turnAuditOn(world, [
    "--audit-webhook-batch-buffer-size=10",
    "--audit-webhook-batch-max-size=10",
    "--audit-webhook-batch-throttle-qps=1",
    "--audit-webhook-batch-throttle-burst=1",
  ]);
  for (const name of ["entrance", "entrance-endpointslices"]) {
    const kind = "ValidatingWebhookConfiguration";
    await world.api.delete({ apiVersion: "admissionregistration.k8s.io/v1", kind, metadata: { name } });
  }
  const traffic = trafficTo(world, host);
  const names = Array.from({ length: routes }, (_, number) => `r${number}`);
  const comes = names.map((name) => () => world.apply(ingress(within, name, `${name}.overrun.example`, { to: "web" })));
  const changes = old.map((each) => () => each.change());
  const writes = [...comes.slice(0, routes / 2), ...changes, ...comes.slice(routes / 2)].values();
  await Promise.all(
    Array.from({ length: writers }, async () => {
      for (const write of writes) await write();
    }),
  );
  const dropped = await droppedEvents();
  expect(dropped).toBeGreaterThan(0);
  const served = async () => {
    let count = 0;
    for (const name of names) if ((await world.node.get(`${name}.overrun.example`)).status === 200) count += 1;
    return count;
  };
  const before = await served();
  const since = stopwatch();
  await world.installed.resync();
  await until("all routes are served", async () => (await served()) === routes, 120_000);
  for (const each of old) await each.areChanged();
  const found = since();
  await until(
    "what was lost is counted",
    async () => (await counter(world, "entrance_lost_events_total")) > 0,
    180_000,
  );
  const lost = await counter(world, "entrance_lost_events_total");
  const counted = await traffic.stop();
  outcome(
    "audit buffer overrun",
    `the apiserver dropped ${dropped} events, ${before} of ${routes} routes were served without them; a LIST had all, ` +
      `and what went and moved, within ${found}, and ${lost} lost events were counted`,
    counted,
  );
  expect(counted.wrong).toEqual([]);
});

async function droppedEvents(): Promise<number> {
  const { json } = await world.api.ask("GET", "/metrics");
  return Number(/^apiserver_audit_error_total\{plugin="buffered"\} (\S+)$/m.exec(String(json))?.[1] ?? 0);
}
