/**
 * What a store across a network must do beside the conformance suite: an answer that is lost changes nothing about what
 * happened, and a commit that was given up never happens later. What could not be found out is `uncertain`.
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EntranceError } from "../../shared/model/error.ts";
import type { Check, CommitResult, Key, Store, Write } from "../../shared/store/port.ts";
import { type Loss, TcpProxy } from "../harness/tcp-proxy.ts";
import { at, put, walk } from "./conformance.ts";
import { checkLinearizable } from "./linearizability.ts";
import { runWorkload } from "./workload.ts";

export interface LossyStore {
  readonly name: string;
  /** Where the server listens. */
  port(): number;
  /** A client that finds the server at another port. */
  open(port: number): Store;
  /** What cannot be found out by this store, and is `uncertain` at worst. */
  readonly mayBeUncertain: readonly string[];
}

export function runLosses(lossy: LossyStore): void {
  describe(`${lossy.name}, where requests and answers get lost`, () => {
    let proxy: TcpProxy;
    let behind: Store;
    let direct: Store;
    beforeAll(async () => {
      proxy = await TcpProxy.start(lossy.port());
      behind = lossy.open(proxy.port);
      direct = lossy.open(lossy.port());
    });
    afterAll(async () => {
      await Promise.all([behind.close(), direct.close()]);
      await proxy.stop();
    });

    const partition = () => `losses/${randomUUID()}`;

    /** Each with a key that exists (`a`, at this version) and one that does not (`b`). */
    const kinds: Record<string, (a: Check, b: Key) => { checks: Check[]; writes: Write[] }> = {
      "a put that checks its key": (a) => ({ checks: [a], writes: [{ key: a.key, value: "new" }] }),
      "a put of an absent key": (_, b) => ({
        checks: [{ key: b, version: null }],
        writes: [{ key: b, value: "new" }],
      }),
      "a put without a check": (a) => ({ checks: [], writes: [{ key: a.key, value: "new" }] }),
      "a deletion that checks its key": (a) => ({ checks: [a], writes: [{ key: a.key, value: null }] }),
      "a deletion without a check": (a) => ({ checks: [], writes: [{ key: a.key, value: null }] }),
      "several writes and checks": (a, b) => ({
        checks: [a, { key: b, version: null }],
        writes: [
          { key: a.key, value: null },
          { key: b, value: "new" },
        ],
      }),
      "checks alone": (a, b) => ({ checks: [a, { key: b, version: null }], writes: [] }),
    };

    async function prepared(name: string) {
      const [a, b] = [
        { partition: name, sort: "a" },
        { partition: name, sort: "b" },
      ];
      // The proxy's connection is up before something is lost.
      await behind.get(a);
      return { a: { key: a, version: await put(direct, name, { a: "old" }) }, b };
    }

    async function told(work: Promise<CommitResult>): Promise<CommitResult | "uncertain"> {
      try {
        return await work;
      } catch (error) {
        if (error instanceof EntranceError && error.code === "uncertain") return "uncertain";
        throw error;
      }
    }

    async function codeOf(work: Promise<unknown>): Promise<string> {
      const error = await work.catch((reason: unknown) => reason);
      return error instanceof EntranceError ? error.code : "none";
    }

    async function happened(writes: readonly Write[], result: CommitResult): Promise<void> {
      for (const { key, value } of writes) {
        const entry = await direct.get(key);
        expect(entry).toEqual(value === null ? undefined : { key, value, version: result.ok && result.version });
      }
    }

    for (const loss of ["answer", "request", "held"] as const) {
      for (const [kind, make] of Object.entries(kinds)) {
        test(`${kind}, its ${loss === "held" ? "request late" : `${loss} lost`}`, async () => {
          const { a, b } = await prepared(partition());
          const { checks, writes } = make(a, b);
          const before = proxy.losses;
          proxy.loseNext(loss);
          const result = await told(behind.commit(checks, writes));
          proxy.release();
          expect(proxy.losses).toBe(before + 1);
          if (result === "uncertain") {
            expect(lossy.mayBeUncertain).toContain(kind);
            return;
          }
          expect(result).toMatchObject({ ok: true });
          await happened(writes, result);
          // What was held has arrived by now, and an unlucky one would show.
          await new Promise((resolve) => setTimeout(resolve, 50));
          await happened(writes, result);
        });
      }
    }

    test("a late request changes nothing that others wrote after its commit was answered", async () => {
      const name = partition();
      const { b } = await prepared(name);
      const absent = [{ key: b, version: null }];
      proxy.loseNext("held");
      const first = await told(behind.commit(absent, [{ key: b, value: "first" }]));
      if (first !== "uncertain") expect(first).toMatchObject({ ok: true });
      // Absent again: the check of the late one would hold.
      await put(direct, name, { b: null });
      proxy.release();
      await new Promise((resolve) => setTimeout(resolve, 100));
      if (first !== "uncertain") expect(await direct.get(b)).toBeUndefined();
      await put(direct, name, { b: "second" });
      expect(await direct.get(b)).toMatchObject({ value: "second" });
    });

    test("what happened is found out even where much was written meanwhile", async () => {
      const name = partition();
      const { a, b } = await prepared(name);
      const checks = [a, { key: b, version: null }];
      const writes = [a.key, b].map((key) => ({ key, value: "first" }));
      proxy.noticedAfterMs = 300;
      try {
        proxy.loseNext("answer");
        const first = told(behind.commit(checks, writes));
        await new Promise((resolve) => setTimeout(resolve, 50));
        // Nothing of what it wrote is there any more, and its place was taken many times.
        await put(direct, name, { a: null, b: null });
        const others = Array.from({ length: 200 }, (_, index) => put(direct, name, { [`other-${index}`]: "{}" }));
        await Promise.all(others);
        expect(await first).toMatchObject({ ok: true });
        expect([await direct.get(a.key), await direct.get(b)]).toEqual([undefined, undefined]);
      } finally {
        proxy.noticedAfterMs = 0;
      }
    });

    test("a conflict is a conflict, whatever was lost before it was told", async () => {
      const { a, b } = await prepared(partition());
      const checks = [
        { key: a.key, version: null },
        { key: b, version: "1" },
      ];
      for (const loss of ["answer", "request", "none"] as const) {
        proxy.loseNext(loss);
        const result = await behind.commit(checks, [{ key: b, value: "x" }]);
        expect(result).toEqual({ ok: false, conflicts: [a.key, b] });
      }
    });

    test("reads come in spite of losses", async () => {
      const name = partition();
      const { a } = await prepared(name);
      for (const loss of ["answer", "request"] as const) {
        proxy.loseNext(loss);
        expect(await behind.get(a.key)).toMatchObject({ value: "old", version: a.version });
        proxy.loseNext(loss);
        expect(await walk(behind, name)).toEqual([["a", "old"]]);
      }
    });

    test("one order explains what 8 clients were told where every tenth message is lost", async () => {
      const clients = Array.from({ length: 8 }, () => lossy.open(proxy.port));
      const losses: readonly Loss[] = ["answer", "request", "held"];
      proxy.loss = () => (Math.random() < 0.1 ? at(losses, Math.floor(Math.random() * losses.length)) : "none");
      const late = setInterval(() => proxy.release(), 20);
      try {
        const operations = await runWorkload(clients, partition(), 40, Math.floor(Math.random() * 1_000_000));
        const commits = operations.filter(({ action }) => action.kind === "commit" && action.outcome === "ok");
        expect(commits.length).toBeGreaterThan(20);
        expect(checkLinearizable(operations)).toEqual({ ok: true });
      } finally {
        clearInterval(late);
        proxy.loss = () => "none";
        await Promise.all(clients.map((client) => client.close()));
      }
    });

    test("a server that cannot be reached is unavailable or uncertain, and is found again when it returns", async () => {
      const { a } = await prepared(partition());
      const write = { key: a.key, value: "new" };
      proxy.loss = () => "request";
      // Each call has an end: the test's own limit would show.
      const [read, written] = await Promise.all([codeOf(behind.get(a.key)), codeOf(behind.commit([a], [write]))]);
      expect(read).toBe("unavailable");
      expect(written).toMatch(/^(unavailable|uncertain)$/);
      proxy.loss = () => "none";
      const found = await behind.get(a.key);
      // Uncertain: the last attempt may have come through yet.
      expect(written === "uncertain" ? ["old", "new"] : ["old"]).toContain(found?.value);
      const check = { key: a.key, version: found?.version ?? null };
      expect(await behind.commit([check], [write])).toMatchObject({ ok: true });
    });
  });
}
