import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBackend } from "../../harness/backend.ts";
import { freePorts } from "../../harness/free-ports.ts";
import { type FilteredNode, startFiltered } from "../filtered.ts";
import { pool, slice } from "../values.ts";

let its: FilteredNode;
const servers: Server[] = [];
beforeAll(async () => {
  its = await startFiltered({ workers: 1 });
});
afterAll(async () => {
  expect(its.faults).toEqual([]);
  for (const server of servers) server.close();
  await its[Symbol.asyncDispose]();
});

/** A pool of one application that answers with these statuses in turn (0: not at all), and how often it was asked. */
async function answering(
  name: string,
  statuses: readonly number[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<() => number> {
  let asked = 0;
  const server = createServer((incoming, outgoing) => {
    incoming.resume();
    incoming.on("end", () => {
      const status = statuses[Math.min(asked, statuses.length - 1)] ?? 200;
      asked += 1;
      if (status !== 0) outgoing.writeHead(status).end(`answer ${asked}`);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  await its.node.apply([pool(name, more), slice(name, [{ port: (server.address() as AddressInfo).port }])]);
  return () => asked;
}

/** Whether its only member is set aside. */
async function isSetAside(name: string): Promise<boolean> {
  return (await its.node.state()).health.some((it) => it.pool === pool(name).key && !it.healthy);
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = Date.now();
  await work();
  return (Date.now() - began) / 1000;
}

describe("timeouts", () => {
  test.each([{ backendRequest: "200ms" }, { request: "200ms" }, { request: "5s", backendRequest: "200ms" }])(
    "%j of a silent application: 504, once",
    async (timeouts) => {
      const asked = await answering("silent", [0]);
      const host = await its.route({ timeouts }, {}, "silent");
      const took = await seconds(async () => expect((await its.get(host)).status).toBe(504));
      expect(took).toBeGreaterThan(0.15);
      expect(took).toBeLessThan(1);
      expect(asked()).toBe(1);
      expect((await its.get(host, "/", { method: "POST", body: "x" })).status).toBe(504);
    },
  );

  test("an answer that drips is cut off when the request's time is over, not the backend's", async () => {
    const host = await its.route({ timeouts: { request: "300ms" } });
    const took = await seconds(async () => {
      await expect(its.get(host, "/slow?chunks=100&everyMs=20")).rejects.toThrow();
    });
    expect(took).toBeLessThan(1);
    const other = await its.route({ timeouts: { backendRequest: "700ms" } });
    expect((await its.get(other, "/slow?chunks=10&everyMs=100")).text).toHaveLength(10 * 1024);
  });

  test("0s is none, and who is in time notices nothing", async () => {
    const host = await its.route({ timeouts: { request: "0s", backendRequest: "1m30s" } });
    expect((await its.get(host, "/slow?chunks=3&everyMs=20")).status).toBe(200);
  });

  test("a slow member is not set aside for the other rules", async () => {
    const host = await its.route({ timeouts: { backendRequest: "50ms" } });
    expect((await its.get(host, "/slow?chunks=0")).status).toBe(200);
    const asked = await answering("lazy", [0, 200, 200]);
    const lazy = await its.route({ timeouts: { backendRequest: "100ms" } }, {}, "lazy");
    expect((await its.get(lazy)).status).toBe(504);
    expect((await its.get(lazy)).status).toBe(200);
    expect(asked()).toBe(2);
  });

  test("nor where the request can't be sent twice, whatever its member speaks", async () => {
    for (const [name, more] of [["tardy"], ["sticky", { balance: "least-connections" }]] as const) {
      const asked = await answering(name, [0], more);
      const host = await its.route({ timeouts: { backendRequest: "100ms" } }, {}, name);
      expect((await its.get(host, "/", { method: "POST", body: "x" })).status).toBe(504);
      expect([asked(), await isSetAside(name)]).toEqual([1, false]);
    }
  });

  test("a member that takes no connection is, though", async () => {
    const [nobody = 0] = await freePorts(1);
    await its.node.apply([pool("nobody"), slice("nobody", [{ port: nobody }])]);
    const host = await its.route({ timeouts: { backendRequest: "100ms" } }, {}, "nobody");
    expect((await its.get(host, "/", { method: "POST", body: "x" })).status).toBe(502);
    expect(await isSetAside("nobody")).toBe(true);
  });
});

describe("retries", () => {
  test("by status, as often as said; the last answer passes as it is", async () => {
    const asked = await answering("flaky", [503, 502, 200]);
    const host = await its.route({ retry: { attempts: 2, codes: [502, 503] } }, {}, "flaky");
    expect((await its.get(host)).text).toBe("answer 3");
    expect(asked()).toBe(3);
    const never = await answering("never", [503]);
    const other = await its.route({ retry: { attempts: 3, codes: [503] } }, {}, "never");
    const answer = await its.get(other);
    expect([answer.status, answer.text, never()]).toEqual([503, "answer 4", 4]);
  });

  test("other statuses pass", async () => {
    const asked = await answering("others", [500]);
    const host = await its.route({ retry: { attempts: 2, codes: [502, 503, 504] } }, {}, "others");
    expect([(await its.get(host)).text, asked()]).toEqual(["answer 1", 1]);
  });

  test("what is not idempotent, or had a body that is gone, is asked once", async () => {
    const asked = await answering("once", [503]);
    const host = await its.route({ retry: { attempts: 2, codes: [503] } }, {}, "once");
    await its.get(host, "/", { method: "POST" });
    await its.get(host, "/", { method: "POST", body: "x" });
    await its.get(host, "/", { method: "PUT", body: "x".repeat(3_000_000) });
    expect(asked()).toBe(3);
    await its.get(host, "/", { method: "DELETE" });
    expect(asked()).toBe(6);
  });

  test("after a timeout", async () => {
    const asked = await answering("sleepy", [0, 200]);
    const more = { retry: { attempts: 1 }, timeouts: { backendRequest: "150ms" } };
    const host = await its.route(more, {}, "sleepy");
    expect([(await its.get(host)).text, asked()]).toEqual(["answer 2", 2]);
  });

  test("of the only member, too, that is away for a moment", async () => {
    const [port = 0] = await freePorts(1);
    await its.node.apply([pool("away"), slice("away", [{ port }])]);
    const host = await its.route({ retry: { attempts: 5, backoff: "200ms" } }, {}, "away");
    const answer = its.get(host);
    await sleep(300);
    await using back = await startBackend("back", port);
    expect((await answer).status).toBe(200);
    expect(back.requests()).toBe(1);
  });

  test("with a pause between them", async () => {
    const asked = await answering("paused", [503, 503, 200]);
    const more = { retry: { attempts: 2, codes: [503], backoff: "150ms" }, filters: [] };
    const host = await its.route(more, {}, "paused");
    const took = await seconds(async () => expect((await its.get(host)).text).toBe("answer 3"));
    expect(took).toBeGreaterThan(0.28);
    expect(asked()).toBe(3);
  });

  test("five pauses are not too many, and the last answer passes", async () => {
    const asked = await answering("five", [503]);
    const host = await its.route({ retry: { attempts: 5, codes: [503], backoff: "10ms" } }, {}, "five");
    expect([(await its.get(host)).text, asked()]).toEqual(["answer 6", 6]);
  });

  test("not beyond the request's time", async () => {
    const asked = await answering("late", [503]);
    const more = { retry: { attempts: 5, codes: [503], backoff: "100ms" }, timeouts: { request: "250ms" } };
    const host = await its.route(more, {}, "late");
    const took = await seconds(async () => expect((await its.get(host)).status).toBe(504));
    expect(took).toBeLessThan(0.6);
    expect(asked()).toBe(3);
  });

  test("attempts 0: a member that refuses connections is an answer's end", async () => {
    const [closed = 0] = await freePorts(1);
    const members = [{ port: closed }, { port: its.backend.port }];
    await its.node.apply([pool("half"), slice("half", members)]);
    const host = await its.route({ retry: { attempts: 0 } }, {}, "half");
    const first = (await Promise.all([its.get(host), its.get(host)])).map(({ status }) => status);
    expect(first.sort()).toEqual([200, 502]);
    await sleep(5_100);
    const usual = await its.route({ timeouts: { request: "5s" } }, {}, "half");
    expect((await Promise.all([its.get(usual), its.get(usual)])).map(({ status }) => status)).toEqual([200, 200]);
  });
});

test.each<[string, object, RegExp]>([
  ["no unit", { timeouts: { request: "10" } }, /timeouts.request must be a duration such as "10s"/],
  ["a number", { timeouts: { request: 10 } }, /timeouts.request must be a duration/],
  ["a fraction", { timeouts: { backendRequest: "1.5s" } }, /timeouts.backendRequest must be a duration/],
  ["too long", { timeouts: { request: "25h" } }, /at most 86400s/],
  ["no object", { timeouts: "1s" }, /timeouts must be an object/],
  ["too often", { retry: { attempts: 6 } }, /retry.attempts must be a whole number from 0 to 5/],
  ["a status that nginx can't try again", { retry: { codes: [418] } }, /a code must be one of 500, 502, 503, 504/],
  ["a long pause", { retry: { backoff: "11s" } }, /retry.backoff must be a duration .* at most 10s/],
  ["a list of texts", { retry: { codes: ["503"] } }, /a code must be one of/],
])("refuses %s", async (_, more, reason) => {
  expect((await its.reasons(more as Record<string, unknown>))[0]).toMatch(reason);
});
