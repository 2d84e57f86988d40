/** EndpointSlices of many routes, written one after another for as long as it lasts. */
import { setTimeout as sleep } from "node:timers/promises";
import { route, type Site, serviceOf, sliceOf } from "./site.ts";

const perSecond = 25;
/** Beyond so many that are not answered yet none is sent: the figures tell how many were written. */
const maxUnderWay = 50;

/** Nobody is there: they are never asked. */
function addressOf(number: number, round: number): string {
  return `10.20.${Math.floor(number / 250)}.${(number % 250) + 1 + (round % 2)}`;
}

function churnedName(number: number): string {
  return `churned-${number}`;
}

export function churnedObjects(number: number) {
  const name = churnedName(number);
  return [serviceOf(name), sliceOf(name, [addressOf(number, 0)]), route(name, name)];
}

export interface Churn {
  /** How many slices were written, and in how many seconds. */
  stop(): Promise<{ readonly written: number; readonly seconds: number }>;
}

export function startChurn(site: Site, routes: number): Churn {
  const begun = performance.now();
  const underWay = new Set<Promise<unknown>>();
  let written = 0;
  let isOver = false;
  const write = async (turn: number): Promise<void> => {
    const number = turn % routes;
    const address = addressOf(number, Math.floor(turn / routes) + 1);
    const endpoints = [{ addresses: [address], conditions: { ready: true } }];
    await site.api.merge(sliceOf(churnedName(number), []), { endpoints });
    written += 1;
  };
  const run = async (): Promise<void> => {
    for (let turn = 0; !isOver; turn += 1) {
      // One write waits for no other: a rate, and not as fast as it goes.
      if (underWay.size < maxUnderWay) {
        const work = write(turn).finally(() => underWay.delete(work));
        underWay.add(work);
      }
      await sleep(Math.max(0, begun + ((turn + 1) * 1_000) / perSecond - performance.now()));
    }
    await Promise.all(underWay);
  };
  const running = run();
  return {
    stop: async () => {
      isOver = true;
      await running;
      return { written, seconds: (performance.now() - begun) / 1_000 };
    },
  };
}
