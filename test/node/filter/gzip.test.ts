import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FilteredNode, startFiltered } from "../filtered.ts";
import { pool, slice } from "../values.ts";

let its: FilteredNode;
const long = "All work and no play. ".repeat(1_000);
const server = createServer((incoming, outgoing) => {
  const type = incoming.url === "/image" ? "image/png" : "text/plain";
  outgoing.writeHead(200, { "content-type": type, etag: '"v1"', "content-length": long.length });
  outgoing.end(long);
});

beforeAll(async () => {
  its = await startFiltered();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  await its.node.apply([pool("long"), slice("long", [{ port: (server.address() as AddressInfo).port }])]);
});
afterAll(async () => {
  expect(its.faults).toEqual([]);
  server.close();
  await its[Symbol.asyncDispose]();
});

/** As many bytes as came, for text is decoded as UTF-8. */
async function size(host: string, path = "/"): Promise<{ encoding: string | undefined; bytes: Buffer }> {
  const response = await new Promise<{ encoding: string | undefined; bytes: Buffer }>((resolve, reject) => {
    import("node:http").then(({ get }) => {
      const headers = { host, "accept-encoding": "gzip" };
      get({ host: "127.0.0.1", port: its.node.ports.http, path, headers, agent: false }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("end", () =>
          resolve({ encoding: incoming.headers["content-encoding"], bytes: Buffer.concat(chunks) }),
        );
      }).on("error", reject);
    }, reject);
  });
  return response;
}

test("text is compressed for who accepts it, with retries and timeouts, too", async () => {
  const filters = [{ type: "Gzip", gzip: {} }];
  for (const more of [{ filters }, { filters, retry: { codes: [503] }, timeouts: { request: "5s" } }]) {
    const host = await its.route(more, {}, "long");
    const { encoding, bytes } = await size(host);
    expect(encoding).toBe("gzip");
    expect(bytes.length).toBeLessThan(long.length / 10);
    expect(gunzipSync(bytes).toString()).toBe(long);
    const plain = await its.get(host);
    expect([plain.headers["content-encoding"], plain.headers.vary, plain.text]).toEqual([
      undefined,
      "Accept-Encoding",
      long,
    ]);
    expect((await size(host, "/image")).encoding).toBeUndefined();
  }
});

test("rules without it are left alone", async () => {
  const host = await its.route({ timeouts: { request: "5s" } }, {}, "long");
  expect((await size(host)).encoding).toBeUndefined();
  expect((await size(await its.route({}, {}, "long"))).encoding).toBeUndefined();
});

test("HSTS is not said over http", async () => {
  const hsts = (settings: object) => ({ filters: [{ type: "Hsts", hsts: settings }] });
  const host = await its.route(hsts({ maxAge: 31_536_000, includeSubDomains: true, preload: true }));
  expect((await its.get(host)).headers["strict-transport-security"]).toBeUndefined();
  for (const [settings, reason] of [
    [{}, /maxAge must be a whole number/],
    [{ maxAge: -1 }, /maxAge must be a whole number/],
    [{ maxAge: 1, preload: "yes" }, /preload must be true or false/],
  ] as const) {
    expect((await its.reasons(hsts(settings)))[0]).toMatch(reason);
  }
  expect((await its.reasons({ filters: [{ type: "Gzip", gzip: [1] }] }))[0]).toMatch(/gzip must be an object/);
});
