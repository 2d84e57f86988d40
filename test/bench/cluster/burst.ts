/** 1,000 Ingresses at once, until each of three nodes serves all of them. */
import { allServed } from "../all-served.ts";
import { rounded } from "../statistics.ts";
import type { ClusterFigures } from "./figures.ts";
import { hostOf, route, type Site } from "./site.ts";

const ingresses = 1_000;

export interface Burst {
  readonly figures: NonNullable<ClusterFigures["burst1000"]>;
  /** Ns of the machine's clock: when the last write had returned, and when the last node served the last of them. */
  readonly written: bigint;
  readonly served: bigint;
  /** What it takes to ask each node for each of them when all of it is served: a part of `seconds` that is not ours. */
  readonly askedInMs: number;
}

export async function benchBurst(site: Site, say: (line: string) => void): Promise<Burst> {
  say(`${ingresses} Ingresses at once, to ${site.nodes.length} nodes`);
  const names = Array.from({ length: ingresses }, (_, number) => `burst-${number}`);
  const hosts = names.map(hostOf);
  const begun = process.hrtime.bigint();
  await site.create(names.map((name) => route(name)));
  const written = process.hrtime.bigint();
  const wrong = await Promise.all(site.nodes.map((node) => allServed(node.ports.http, hosts)));
  const served = process.hrtime.bigint();
  await Promise.all(site.nodes.map((node) => allServed(node.ports.http, hosts)));
  const asked = process.hrtime.bigint();
  const figures = {
    seconds: rounded(Number(served - written) / 1e9),
    writeSeconds: rounded(Number(written - begun) / 1e9),
    nodes: site.nodes.length,
    wrongAnswers: wrong.reduce((sum, each) => sum + each, 0),
  };
  return { figures, written, served, askedInMs: Number(asked - served) / 1e6 };
}
