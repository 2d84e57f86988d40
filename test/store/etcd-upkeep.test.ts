/** What etcd keeps: its history is dropped by Entrance itself, and with its quota used up nothing is lost but time. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openEtcd } from "../../shared/store/etcd.ts";
import { openEtcdGateway } from "../../shared/store/etcd-gateway.ts";
import type { Store } from "../../shared/store/port.ts";
import { type EtcdCluster, startEtcd } from "../harness/etcd.ts";
import { askEtcd, makeRoom, smallestQuota } from "../harness/etcd-room.ts";
import { put } from "./conformance.ts";

const minuteMs = 60_000;

const ways: Record<string, (endpoints: readonly string[], prefix: string, compacts?: boolean) => Store> = {
  gRPC: (endpoints, prefix, compacts = true) =>
    openEtcd({ endpoints, user: undefined, ca: undefined, client: undefined, prefix, compacts }),
  "the JSON gateway": (endpoints, prefix, compacts = true) =>
    openEtcdGateway({ endpoints, user: undefined, prefix, compacts, fetch }),
};

/** Whether etcd still tells how a key was then. */
async function tellsOf(etcd: EtcdCluster, revision: string): Promise<boolean> {
  const answer = await askEtcd(etcd, "/v3/kv/range", { key: "AA==", revision });
  return !JSON.stringify(answer).includes("has been compacted");
}

describe("history", () => {
  let etcd: EtcdCluster;
  beforeAll(async () => {
    etcd = await startEtcd();
  });
  afterAll(() => etcd.stop());

  for (const [way, open] of Object.entries(ways)) {
    test(`by ${way}: what is older than five minutes goes, by whoever comes first`, async () => {
      const prefix = randomUUID();
      const [one, two] = [open(etcd.urls, prefix), open(etcd.urls, prefix)];
      const old = await put(one, "p", { a: "1" });
      await one.tend?.(0);
      const young = await put(one, "p", { a: "2" });
      await two.tend?.(4 * minuteMs);
      expect(await tellsOf(etcd, old)).toBe(true);
      await Promise.all([one.tend?.(6 * minuteMs), two.tend?.(6 * minuteMs)]);
      expect(await tellsOf(etcd, old)).toBe(false);
      expect(await tellsOf(etcd, young)).toBe(true);
      // A clock that was set back, and one that was set forward, keep nobody from going on.
      await one.tend?.(minuteMs);
      await two.tend?.(60 * minuteMs);
      expect(await one.get({ partition: "p", sort: "a" })).toMatchObject({ value: "2", version: young });
      await Promise.all([one.close(), two.close()]);
    });
  }

  test("nothing goes where others need it", async () => {
    const store = openWith(etcd, false);
    const old = await put(store, "p", { a: "1" });
    for (const minute of [0, 6, 12]) await store.tend?.(minute * minuteMs);
    expect(await tellsOf(etcd, old)).toBe(true);
    await store.close();
  });
});

function openWith(etcd: EtcdCluster, compacts: boolean): Store {
  const open = ways["gRPC"];
  if (open === undefined) throw new Error("no such way");
  return open(etcd.urls, randomUUID(), compacts);
}

describe("a quota that is used up", () => {
  for (const [way, open] of Object.entries(ways)) {
    test(`by ${way}: commits say what to do, reads go on, and nothing has to be started anew`, async () => {
      const etcd = await startEtcd({ args: smallestQuota });
      const store = open(etcd.urls, "entrance");
      try {
        await put(store, "p", { kept: "1" });
        await store.tend?.(0);
        const full = async () => {
          // The same key again and again: all but its last value is history.
          for (let times = 0; times < 100; times += 1)
            await put(store, "p", { large: `${times}${"x".repeat(300_000)}` });
        };
        await expect(full()).rejects.toMatchObject({
          code: "busy",
          retryAfterSeconds: 5,
          message: expect.stringMatching(/quota is used up.*defrag.*alarm disarm/),
        });
        expect(await store.get({ partition: "p", sort: "kept" })).toMatchObject({ value: "1" });

        // History goes all the same, so that defragmenting is all that is left to do.
        await store.tend?.(6 * minuteMs);
        await store.tend?.(12 * minuteMs);
        await makeRoom(etcd);
        await put(store, "p", { kept: "2" });
        expect(await store.get({ partition: "p", sort: "kept" })).toMatchObject({ value: "2" });
      } finally {
        await store.close();
        await etcd.stop();
      }
    });
  }
});
