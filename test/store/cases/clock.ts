/** No store asks what time it is: clocks of its clients may differ, and jump. */
import { expect, vi } from "vitest";
import { put, type Suite, walk } from "../conformance.ts";

const hourMs = 3_600_000;

export function clockCases({ test }: Suite): void {
  test("clients whose clock jumps by an hour, forth and back, see one another's writes in their order", async ({
    clients,
    partition,
  }) => {
    const key = { partition: partition(), sort: "a" };
    const start = Date.now();
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      let version: string | null = null;
      for (const [index, jump] of [0, hourMs, -hourMs, 24 * hourMs, 0].entries()) {
        vi.setSystemTime(start + jump);
        for (const client of await clients(2)) {
          const result = await client.commit([{ key, version }], [{ key, value: String(index) }]);
          expect(result).toMatchObject({ ok: true });
          version = result.ok ? result.version : null;
          expect(await client.get(key)).toEqual({ key, value: String(index), version });
        }
      }
      const [first] = await clients(1);
      if (first === undefined) throw new Error("no client");
      await put(first, key.partition, { b: "last" });
      expect(await walk(first, key.partition)).toEqual([
        ["a", "4"],
        ["b", "last"],
      ]);
    } finally {
      vi.useRealTimers();
    }
  });
}
