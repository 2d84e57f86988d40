/**
 * No store asks what time it is to say what is there, or what came first: clocks of its clients may differ, and jump.
 * What does ask is about one request alone: AWS's signatures (dynamodb-faults.test.ts) and gRPC's deadlines.
 */
import { expect } from "vitest";
import { put, type Suite, walk } from "../conformance.ts";

const hourMs = 3_600_000;
/** The clock that was set really says so. */
const nearMs = 60_000;

export function clockCases({ test }: Suite): void {
  test("clients whose clock jumps by an hour, forth and back, see one another's writes in their order", async ({
    clients,
    partition,
    setClockOff,
  }) => {
    const key = { partition: partition(), sort: "a" };
    const begun = await setClockOff(0);
    try {
      let version: string | null = null;
      for (const [index, jump] of [0, hourMs, -hourMs, 24 * hourMs, 0].entries()) {
        expect(Math.abs((await setClockOff(jump)) - begun - jump)).toBeLessThan(nearMs);
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
      await setClockOff(0);
    }
  });
}
