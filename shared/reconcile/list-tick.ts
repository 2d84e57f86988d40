/** When everything is listed next, and what became of the last time: one record, by which copies share the work. */
import * as v from "valibot";
import type { Check, Entry } from "../store/port.ts";
import { tickKey } from "./keys.ts";
import { readRecord } from "./record.ts";
import type { Context } from "./settings.ts";
import type { Link } from "./trigger.ts";

const key = tickKey("list");

const schema = v.object({
  /** Ms since 1970. While somebody lists, so long that a death is made up for soon. */
  due: v.number(),
  /** Ms since 1970: when the last whole LIST ended; 0: there was none that counts. */
  finished: v.number(),
  /** Ms since 1970: when one had more deletions than can be believed at once. */
  suspectedAt: v.optional(v.number()),
  /** By whose clock that was. */
  suspectedBy: v.optional(v.string()),
});

type ListTick = v.InferOutput<typeof schema>;

export interface ListClaim {
  /** The record as it was claimed. */
  readonly link: Link;
  readonly tick: ListTick;
  /** There was a whole LIST before, so what differs should have been told. */
  readonly isAgain: boolean;
  /** A minute or more after one that could not be believed. */
  readonly isConfirming: boolean;
}

/** A LIST of 100,000 objects takes about so long; a copy that died with it is followed after that. */
const claimMs = 60_000;
const afterFailureMs = 10_000;
const confirmMs = 60_000;
/** Two clocks may be so far apart: by another one's a minute is over after two. */
export const clocksApartMs = 60_000;
/** One that is asked for follows the last not sooner than this. */
const pauseMs = 10_000;

export async function claimList(context: Context): Promise<ListClaim | undefined> {
  const { store, now, timing } = context;
  const entry = await store.get(key);
  const tick = readTick(entry);
  if (now() < tick.due && tick.due - now() <= timing.listMs) return undefined;
  const value = JSON.stringify({ ...tick, due: now() + claimMs } satisfies ListTick);
  const result = await store.commit([{ key, version: entry?.version ?? null }], [{ key, value }]);
  if (!result.ok) return undefined;
  const { suspectedAt, suspectedBy } = tick;
  const waitMs = suspectedBy === context.instance ? confirmMs : confirmMs + clocksApartMs;
  return {
    link: { key, value, version: result.version },
    tick,
    isAgain: tick.finished > 0,
    isConfirming: suspectedAt !== undefined && now() - suspectedAt >= waitMs,
  };
}

/** Where somebody asked for another LIST meanwhile, this one came too early to count. */
export async function finishList(
  { store, now, timing, instance }: Context,
  { link, tick }: ListClaim,
  outcome: "whole" | "suspicious" | "failed",
): Promise<void> {
  const { finished, suspectedAt = now(), suspectedBy = instance } = tick;
  const next: ListTick =
    outcome === "whole"
      ? { due: now() + timing.listMs, finished: now() }
      : outcome === "suspicious"
        ? { due: Math.max(suspectedAt + confirmMs, now() + afterFailureMs), finished, suspectedAt, suspectedBy }
        : { ...tick, due: now() + afterFailureMs };
  await store.commit([{ key, version: link.version }], [{ key, value: JSON.stringify(next) }]);
}

export async function listSoon({ store, now }: Context): Promise<void> {
  const entry = await store.get(key);
  const tick = readTick(entry);
  const due = Math.max(now(), tick.finished + pauseMs);
  if (tick.due <= due) return;
  const value = JSON.stringify({ ...tick, due } satisfies ListTick);
  await store.commit([{ key, version: entry?.version ?? null }], [{ key, value }]);
}

/** No copy was at work for a while. A LIST that is under way, or due within a minute, will do. */
export async function listAfterSilence(context: Context): Promise<void> {
  const { due } = readTick(await context.store.get(key));
  if (due - context.now() > claimMs) await listSoon(context);
}

/** Nothing that was listed before counts: the store went back to a backup. */
export function listAnew(now: number): { key: typeof key; value: string } {
  return { key, value: JSON.stringify({ due: now, finished: 0 } satisfies ListTick) };
}

/** Ms since 1970; 0: there has been no whole LIST yet. */
export async function lastWholeList(context: Context): Promise<number> {
  return (await lastList(context)).finished;
}

/** With the check that it still is the last one. */
export async function lastList({ store }: Context): Promise<{ readonly finished: number; readonly check: Check }> {
  const entry = await store.get(key);
  return { finished: readTick(entry).finished, check: { key, version: entry?.version ?? null } };
}

function readTick(entry: Entry | undefined): ListTick {
  return entry === undefined ? { due: 0, finished: 0 } : readRecord(schema, entry);
}
