/** 1,000 Ingresses at once, until each of three nodes serves all of them. */
import { setTimeout as sleep } from "node:timers/promises";
import type { TestNode } from "../../harness/node.ts";
import { rounded } from "../statistics.ts";
import type { ClusterFigures } from "./figures.ts";
import { hostOf, route, type Site } from "./site.ts";

const ingresses = 1_000;
const pollMs = 5;

export async function benchBurst(
  site: Site,
  say: (line: string) => void,
): Promise<NonNullable<ClusterFigures["burst1000"]>> {
  say(`${ingresses} Ingresses at once, to ${site.nodes.length} nodes`);
  const names = Array.from({ length: ingresses }, (_, number) => `burst-${number}`);
  const begun = performance.now();
  await site.create(names.map((name) => route(name)));
  const written = performance.now();
  const wrong = await Promise.all(site.nodes.map((node) => serveAll(site, node, names)));
  const served = performance.now();
  return {
    seconds: rounded((served - written) / 1_000),
    writeSeconds: rounded((written - begun) / 1_000),
    nodes: site.nodes.length,
    wrongAnswers: wrong.reduce((sum, each) => sum + each, 0),
  };
}

/** How many answers were wrong until there was no other than 200. */
async function serveAll(site: Site, node: TestNode, names: readonly string[]): Promise<number> {
  const client = site.client(node);
  let wrong = 0;
  for (const name of names) {
    for (;;) {
      const { status } = await client.get(hostOf(name));
      if (status === 200) break;
      if (status !== 404) wrong += 1;
      await sleep(pollMs);
    }
  }
  await client.close();
  return wrong;
}
