/** What a node answers has a limit: one that never ends is left in the middle of it. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { BalancerConfig } from "../../functions/config.ts";
import { fetchOf } from "../../functions/node-fetch.ts";

let server: Server | undefined;

afterEach(() => server?.close());

const part = "x".repeat(64 * 1024);

/** Bytes that it has sent when whoever asked has gone; at most 64 MiB. */
async function endless(): Promise<{ readonly url: string; readonly sent: Promise<number> }> {
  const { promise, resolve } = Promise.withResolvers<number>();
  server = createServer((_, response) => {
    let sent = 0;
    const more = () => {
      while (sent < 64 * 1024 * 1024) {
        sent += part.length;
        if (!response.write(part)) return;
      }
      response.end();
    };
    response.on("drain", more).on("close", () => resolve(sent));
    more();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sent: promise };
}

test("an answer that never ends is not read to its end", async () => {
  const { url, sent } = await endless();
  const balancer: BalancerConfig = { name: "openresty", plugin: "openresty", classes: [], nodes: [url], addresses: [] };
  const callNode = fetchOf(balancer, () => undefined, undefined);
  const response = await callNode(`${url}/v2/state`, { signal: AbortSignal.timeout(10_000) });
  await expect(response.text()).rejects.toThrow();
  // With what lies in the sockets' buffers.
  expect(await sent).toBeLessThan(32 * 1024 * 1024);
});
