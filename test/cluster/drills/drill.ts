/** What every drill has: an application under traffic that may lose no request, and a line that says how it went. */
import { askEntrance } from "../installed.ts";
import { kubectl } from "../kubectl.ts";
import { ingress, namespace, service, web } from "../objects.ts";
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

export interface Counted {
  readonly requests: number;
  /** How often each answer came that was not 200, by its status or its fault. */
  readonly failed: ReadonlyMap<string, number>;
}

/** Requests to a host for as long as a drill lasts. */
export class Traffic {
  readonly #counts = new Map<string, number>();
  readonly #running: Promise<unknown>;
  #isOver = false;

  constructor(world: World, host: string) {
    const client = async (): Promise<void> => {
      while (!this.#isOver) {
        const answer = await world.node.get(host).then(
          ({ status }) => String(status),
          (error: unknown) => String(error),
        );
        this.#counts.set(answer, (this.#counts.get(answer) ?? 0) + 1);
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    };
    this.#running = Promise.all(Array.from({ length: clients }, client));
  }

  async stop(): Promise<Counted> {
    this.#isOver = true;
    await this.#running;
    const { 200: good = 0, ...others } = Object.fromEntries(this.#counts);
    const failed = new Map(Object.entries(others));
    return { requests: good + [...failed.values()].reduce((sum, count) => sum + count, 0), failed };
  }
}

/** For the closing note. */
export function outcome(drill: string, sentence: string, { requests, failed }: Counted): void {
  const lost = [...failed.values()].reduce((sum, count) => sum + count, 0);
  console.log(`drill ${drill}: ${sentence}; ${lost} of ${requests} requests failed meanwhile`);
}

/** A function that tells how long ago it was made. */
export function stopwatch(): () => string {
  const begun = performance.now();
  return () => `${((performance.now() - begun) / 1_000).toFixed(1)} s`;
}

/** Of all copies together. */
export async function counter(world: World, name: string): Promise<number> {
  const addresses = await world.installed.addresses();
  const texts = await Promise.all(addresses.map(async (address) => String(await askEntrance(address, "/metrics"))));
  const lines = texts.flatMap((text) => text.split("\n")).filter((line) => /^[a-z_]+/.exec(line)?.[0] === name);
  return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

/** Deletes the pods as a machine that is switched off does: nobody is asked, and nothing is ended in order. */
export async function killPods({ facts }: World, selector: string): Promise<void> {
  const args = ["-n", "entrance", "delete", "pods", "-l", selector, "--grace-period=0", "--force"];
  const { code, err } = await kubectl(facts, args);
  if (code !== 0) throw new Error(err);
}
