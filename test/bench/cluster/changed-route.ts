/** A route that is changed again and again under traffic: no request may notice but by who answers it. */
import { until } from "../../cluster/api.ts";
import type { ClusterFigures } from "./figures.ts";
import { hostOf, route, type Site } from "./site.ts";

const changes = 200;
const leastRequests = 10_000;
const clients = 4;

export async function benchChangedRoute(
  site: Site,
  say: (line: string) => void,
): Promise<NonNullable<ClusterFigures["changedRoute"]>> {
  say(`a route changed ${changes} times under traffic`);
  const name = "changed";
  const watcher = site.client();
  const leadsTo = async (address: string) => {
    const pods = new Set<string>();
    // Who answered says which Service it was.
    const { status, pod } = await watcher.get(hostOf(name));
    pods.add(pod);
    return status === 200 && podOf.get(pod) === address;
  };
  const podOf = new Map<string, string>();
  for (const [index, service] of (["one", "two"] as const).entries()) {
    await site.apply(route(`to-${service}`, service));
    const pod = await until("it is served", async () => {
      const answer = await watcher.get(hostOf(`to-${service}`));
      return answer.status === 200 && answer.pod;
    });
    podOf.set(pod, site.addresses[index] ?? "");
  }
  await site.apply(route(name, "one"));
  await until("it is served", () => leadsTo(site.addresses[0]));

  let [requests, wrongAnswers, isOver] = [0, 0, false];
  const traffic = Array.from({ length: clients }, async () => {
    const client = site.client();
    while (!isOver) {
      const { status } = await client.get(hostOf(name));
      requests += 1;
      if (status !== 200) wrongAnswers += 1;
    }
    await client.close();
  });
  for (let change = 1; change <= changes; change += 1) {
    await site.apply(route(name, change % 2 === 1 ? "two" : "one"));
    await until("the change is served", () => leadsTo(site.addresses[change % 2 === 1 ? 1 : 0]));
  }
  await until("there were enough requests", async () => requests >= leastRequests, 120_000);
  isOver = true;
  await Promise.all(traffic);
  await watcher.close();
  return { requests, wrongAnswers, changes };
}
