/** Ports for programs that the tests start, stop and start again. */
import { once } from "node:events";
import { createServer } from "node:net";

/** Below those that Linux takes for connections: one of the tests' own would be in the way, a minute longer than it lives. */
const [first, last] = [20_000, 32_767];
const maxTries = 100;

export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < count; tries += 1) {
    if (tries === maxTries + count) throw new Error(`no ${count} free ports between ${first} and ${last}`);
    const port = first + Math.floor(Math.random() * (last - first + 1));
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, "0.0.0.0"), "listening");
  } catch {
    return false;
  }
  await new Promise((resolve) => server.close(resolve));
  return true;
}
