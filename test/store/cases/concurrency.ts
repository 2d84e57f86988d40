/** Many clients at once: one winner of each race, and one order that explains all answers. */
import { expect } from "vitest";
import { at, put, type Suite, walk } from "../conformance.ts";
import { checkLinearizable } from "../linearizability.ts";
import { runWorkload } from "../workload.ts";

const clientCount = 8;
const operationsPerClient = 200;
const rounds = 15;

export function concurrencyCases({ test }: Suite): void {
  test("of many conditional writes of one version exactly one wins", async ({ store, clients, partition }) => {
    const key = { partition: partition(), sort: "a" };
    let version: string | null = null;
    for (let round = 0; round < rounds; round++) {
      const contenders = [...(await clients(clientCount)), ...(await clients(clientCount))];
      const results = await Promise.all(
        contenders.map((each, index) => each.commit([{ key, version }], [{ key, value: `"${round}:${index}"` }])),
      );
      const winner = results.findIndex(({ ok }) => ok);
      expect(results.filter(({ ok }) => !ok)).toEqual(
        Array(contenders.length - 1).fill({ ok: false, conflicts: [key] }),
      );
      const entry = await store.get(key);
      expect(entry).toEqual({ key, value: `"${round}:${winner}"`, version: entry?.version });
      expect(at(results, winner)).toEqual({ ok: true, version: entry?.version });
      version = entry?.version ?? null;
    }
  });

  test("two commits that each check what the other writes do not both succeed", async ({
    store,
    clients,
    partition,
  }) => {
    const [left, right] = [partition(), partition()];
    const [one, two] = await clients(2);
    for (let round = 0; round < rounds; round++) {
      const keys = [left, right].map((name) => ({ partition: name, sort: String(round) }));
      const [a, b] = [at(keys, 0), at(keys, 1)];
      const results = await Promise.all([
        one?.commit([{ key: a, version: null }], [{ key: b, value: "1" }]),
        two?.commit([{ key: b, version: null }], [{ key: a, value: "2" }]),
      ]);
      expect(results.filter((result) => result?.ok)).toHaveLength(1);
      expect([await store.get(a), await store.get(b)].filter(Boolean)).toHaveLength(1);
    }
  });

  test("increments by many clients are all counted", async ({ store, clients, partition }) => {
    const key = { partition: partition(), sort: "counter" };
    await put(store, key.partition, { counter: "0" });
    const each = 10;
    await Promise.all(
      (await clients(clientCount)).map(async (client) => {
        for (let done = 0; done < each; ) {
          const entry = await client.get(key);
          const next = String(Number(entry?.value) + 1);
          const result = await client.commit([{ key, version: entry?.version ?? null }], [{ key, value: next }]);
          if (result.ok) done++;
        }
      }),
    );
    expect(await walk(store, key.partition)).toEqual([["counter", String(clientCount * each)]]);
  });

  test("one order explains what 8 clients were told in 200 operations each", async ({ clients, partition }) => {
    const seed = Math.floor(Math.random() * 1_000_000);
    const operations = await runWorkload(await clients(clientCount), partition(), operationsPerClient, seed);
    const commits = operations.flatMap(({ action }) => (action.kind === "commit" ? [action.outcome] : []));
    // A run that shows anything has both.
    expect(commits.filter((outcome) => outcome === "ok").length).toBeGreaterThan(clientCount);
    expect(commits.filter((outcome) => Array.isArray(outcome)).length).toBeGreaterThan(clientCount);
    expect(checkLinearizable(operations), `workload of seed ${seed}`).toEqual({ ok: true });
  });
}
