/** A node that answers late, or takes connections and never answers, delays no other node and no caller. */
import { connect, createServer, type Server, type Socket } from "node:net";
import { expect, test } from "vitest";
import { Field, report, times } from "./field.ts";

/** Hands bytes on both ways, each as much later as `delayMs` says at that moment; Infinity: never. */
class SlowPath {
  delayMs = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  port = 0;

  constructor(toPort: number) {
    this.#server = createServer((client) => {
      const server = connect(toPort, "127.0.0.1");
      this.#hand(client, server);
      this.#hand(server, client);
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    this.port = typeof address === "object" && address !== null ? address.port : 0;
    return this.port;
  }

  #hand(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on("error", () => to.destroy());
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    from.on("data", (chunk) => {
      if (this.delayMs !== Number.POSITIVE_INFINITY) setTimeout(() => to.writable && to.write(chunk), this.delayMs);
    });
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

test.for([
  ["answers 800 ms late", 400],
  ["never answers", Number.POSITIVE_INFINITY],
] as const)("a node that %s delays no other node and no caller", { timeout: 120_000 }, async ([title, delayMs]) => {
  const changes = times(20, 200);
  let path: SlowPath | undefined;
  await using field = await Field.start({
    nodes: 2,
    reach: async (port, place) => {
      if (place === 0) return port;
      path = new SlowPath(port);
      return path.listen();
    },
  });
  const [fast, slow] = field.nodes;
  if (fast === undefined || slow === undefined || path === undefined) throw new Error("two nodes were started");
  await field.untilEqual(fast);
  await field.untilEqual(slow);
  path.delayMs = delayMs;

  const acknowledged: number[] = [];
  const served: number[] = [];
  for (let change = 0; change < changes; change += 1) {
    const since = performance.now();
    expect(await field.writer.route(`new-${change}`)).toBe(true);
    acknowledged.push(performance.now() - since);
    while ((await fast.get(`new-${change}.example`)).status !== 200) {
      if (performance.now() - since > 10_000) throw new Error(`new-${change}.example is not served`);
    }
    served.push(performance.now() - since);
  }
  const behind = (await slow.state()).revision < (await fast.state()).revision;
  path.delayMs = 0;
  const caughtUp = await field.untilEqual(slow);
  path.close();
  expect(behind).toBe(true);
  expect(await field.wrong(slow)).toEqual([]);
  // Far below the other node's delay, on a busy machine, too.
  const worst = Math.max(...served);
  expect(worst).toBeLessThan(500);
  report(`a node that ${title}`, {
    changes,
    "worst answer, ms": Math.max(...acknowledged).toFixed(1),
    "worst until served, ms": worst.toFixed(1),
    "the other node equal after, ms": caughtUp,
  });
});
