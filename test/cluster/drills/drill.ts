/** What every drill has: an application under traffic that may lose no request, and a line that says how it went. */
import { until } from "../api.ts";
import { askEntrance } from "../installed.ts";
import { kubectl } from "../kubectl.ts";
import { ingress, namespace, service, web } from "../objects.ts";
import { type Counted, Traffic } from "../traffic.ts";
import type { World } from "../world.ts";

/** `DRILL=full`: as long, and as often, as a release needs. */
export const isFull = process.env["DRILL"] === "full";

const clients = 2;
/** So that the machine has time for what is drilled. */
const pauseMs = 5;

/** Two pods behind a Service, and an Ingress of the host. */
export async function application(world: World, within: string, host: string): Promise<void> {
  await world.apply(namespace(within), web(within, "web", 2), service(within, "web"), ingress(within, "web", host));
  await world.answers(host, 200);
}

/** Until a pod of that Deployment answers at the host. */
export async function leadsTo(world: World, host: string, name: string, withinMs?: number): Promise<void> {
  const isLed = async () => (await world.pods(host, 1)).values().next().value?.startsWith(`${name}-`);
  await until(`${host} leads to ${name}`, isLed, withinMs);
}

/** Requests to a host for as long as a drill lasts. */
export function trafficTo(world: World, host: string): Traffic {
  return new Traffic(async () => (await world.node.get(host)).status, { clients, pauseMs });
}

/** For the closing note. */
export function outcome(drill: string, sentence: string, { requests, wrong }: Counted): void {
  const lost = wrong.reduce((sum, [, times]) => sum + times, 0);
  console.log(`drill ${drill}: ${sentence}; ${lost} of ${requests} requests failed meanwhile`);
}

/** A function that tells how long ago it was made. */
export function stopwatch(): () => string {
  const begun = performance.now();
  return () => `${((performance.now() - begun) / 1_000).toFixed(1)} s`;
}

/** Of all copies together. */
export async function counter(world: World, name: string): Promise<number> {
  const counts = (await world.installed.addresses()).map((address) => counterOf(address, name));
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

/** Of one copy, whatever the labels. */
export async function counterOf(address: string, name: string): Promise<number> {
  const lines = String(await askEntrance(address, "/metrics")).split("\n");
  const counted = lines.filter((line) => /^[a-z_]+/.exec(line)?.[0] === name);
  return counted.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

/**
 * Deletes the pods as a machine that is switched off does: nobody is asked, and nothing is ended in order. None of them
 * is left then; others may have come in their place.
 */
export async function killPods({ api, facts }: World, selector: string): Promise<void> {
  const names = async () => {
    const { items } = await api.list(`/api/v1/namespaces/entrance/pods?labelSelector=${encodeURIComponent(selector)}`);
    return items.map(({ metadata }) => metadata.name);
  };
  const old = await names();
  const args = ["-n", "entrance", "delete", "pods", "-l", selector, "--grace-period=0", "--force"];
  const { code, err } = await kubectl(facts, args);
  if (code !== 0) throw new Error(err);
  await until("none of those pods is left", async () => (await names()).every((name) => !old.includes(name)));
}
