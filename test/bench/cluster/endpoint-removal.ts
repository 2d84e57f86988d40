/** An endpoint that goes: from the write's return until no request that begins is answered by it any more. */
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../../cluster/api.ts";
import { quantile, rounded } from "../statistics.ts";
import type { ClusterFigures } from "./figures.ts";
import { hostOf, route, type Site, serviceOf, sliceOf } from "./site.ts";

const removals = 200;
const clients = 2;
/** As long as the goal: who is asked later than that has been asked too late in any case. */
const watchedMs = 250;
const name = "removal";

export async function benchEndpointRemoval(
  site: Site,
  say: (line: string) => void,
): Promise<NonNullable<ClusterFigures["endpointRemoval"]>> {
  say(`an endpoint removed ${removals} times under traffic`);
  await site.apply(serviceOf(name), sliceOf(name, [site.addresses[0]]), route(name, name));
  const stays = await until("one pod answers", async () => {
    const [pod, ...others] = await podsOf(site);
    return pod !== undefined && others.length === 0 && pod;
  });
  const times: number[] = [];
  for (let removal = 0; removal < removals; removal += 1) {
    await site.apply(sliceOf(name, site.addresses));
    await until("both pods answer", async () => (await podsOf(site)).length === 2);
    times.push(await remove(site, stays));
  }
  return {
    p99Ms: rounded(quantile(times, 0.99), 2),
    medianMs: rounded(quantile(times, 0.5), 2),
    removals,
  };
}

/** Ms after the write's return at which the last request began that the pod which went has answered; 0: none. */
async function remove(site: Site, stays: string): Promise<number> {
  let isOver = false;
  let last = 0;
  const traffic = Array.from({ length: clients }, async () => {
    const client = site.client();
    while (!isOver) {
      const begun = performance.now();
      const { status, pod } = await client.get(hostOf(name));
      if (status !== 200) throw new Error(`a request was answered ${status} while an endpoint went`);
      if (pod !== stays) last = Math.max(last, begun);
    }
    await client.close();
  });
  await site.apply(sliceOf(name, [site.addresses[0]]));
  const written = performance.now();
  await sleep(watchedMs);
  // Where it is still asked, the row tells how long that lasts.
  while (performance.now() - last < watchedMs) await sleep(10);
  isOver = true;
  await Promise.all(traffic);
  return Math.max(0, last - written);
}

async function podsOf(site: Site): Promise<string[]> {
  const client = site.client();
  const found = new Set<string>();
  for (let request = 0; request < 6; request += 1) {
    const { status, pod } = await client.get(hostOf(name));
    if (status === 200) found.add(pod);
  }
  await client.close();
  return [...found];
}
