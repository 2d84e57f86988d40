/** New routes, one after another: from the write's return until a node answers 200. */
import { setTimeout as sleep } from "node:timers/promises";
import { type NewRouteFigures, newRouteFigures } from "./figures.ts";
import { hostOf, type NodeClient, route, type Site } from "./site.ts";

const pollMs = 5;
const patienceMs = 30_000;
const sayEvery = 250;

/** Ns of a clock that all processes of this machine have in common. */
export interface Timed {
  readonly begun: bigint;
  readonly written: bigint;
  readonly served: bigint;
}

export interface NewRoutes {
  readonly figures: NewRouteFigures;
  readonly timed: readonly Timed[];
}

export async function benchNewRoute(
  site: Site,
  prefix: string,
  routes: number,
  say: (line: string) => void,
): Promise<NewRoutes> {
  const client = site.client();
  const timed: Timed[] = [];
  let wrongAnswers = 0;
  // The first ones find nothing warm.
  for (let number = -20; number < routes; number += 1) {
    const name = number < 0 ? `${prefix}-warm${-number}` : `${prefix}-${number}`;
    const begun = process.hrtime.bigint();
    await site.api.create(route(name));
    const written = process.hrtime.bigint();
    wrongAnswers += await wrongUntilServed(client, hostOf(name));
    if (number < 0) continue;
    timed.push({ begun, written, served: process.hrtime.bigint() });
    if (number % sayEvery === 0) say(`${prefix}: ${number} of ${routes} routes`);
  }
  await client.close();
  const ms = (from: bigint, to: bigint) => Number(to - from) / 1e6;
  const figures = newRouteFigures(
    timed.map(({ written, served }) => ms(written, served)),
    timed.map(({ begun, written }) => ms(begun, written)),
    wrongAnswers,
  );
  return { figures, timed };
}

async function wrongUntilServed(client: NodeClient, host: string): Promise<number> {
  let wrong = 0;
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await sleep(pollMs)) {
    const { status } = await client.get(host);
    if (status === 200) return wrong;
    if (status !== 404) wrong += 1;
  }
  // It stands in the figures as so slow, and as a wrong answer.
  console.error(`  ${host} is not served within ${patienceMs / 1_000} s`);
  return wrong + 1;
}
