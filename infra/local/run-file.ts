/** `.entrance/run.json`: what runs now, so that `npm run apply` finds it and a later start can clean up after a kill -9. */
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import * as v from "valibot";
import { endGroup } from "./process-group.ts";
import { bootId, membersOf, type ProcessEntry, processOf } from "./process-table.ts";
import { writeWhole } from "./whole-file.ts";

const Child = v.object({ name: v.string(), pid: v.number(), startTime: v.string() });
const Run = v.object({
  boot: v.string(),
  supervisor: v.number(),
  url: v.string(),
  /** The file with Entrance's own certificate, where it serves HTTPS. */
  certificate: v.optional(v.string()),
  children: v.array(Child),
});
export type Run = v.InferOutput<typeof Run>;

export function readRun(data: string): Run | undefined {
  try {
    const parsed = v.safeParse(Run, JSON.parse(readFileSync(fileIn(data), "utf8")));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

export function writeRun(data: string, run: Omit<Run, "boot">): void {
  writeWhole(fileIn(data), `${JSON.stringify({ boot: bootId(), ...run }, null, 2)}\n`, 0o600);
}

export function removeRun(data: string): void {
  rmSync(fileIn(data), { force: true });
}

/** Ends what a supervisor that was killed has left running; returns the names. To be called by the folder's holder. */
export async function endOrphans(data: string): Promise<string[]> {
  const run = readRun(data);
  if (run === undefined || run.boot !== bootId()) return [];
  const left = run.children.filter(isLeft);
  await Promise.all(left.map(({ pid }) => endGroup(pid)));
  return left.map(({ name }) => name);
}

/**
 * A pid may belong to somebody else by now. Ours is the leader with the start time that was noted; or, with the leader
 * gone, younger processes of a group and session that can have had no other leader (both are named by its pid).
 */
function isLeft({ pid, startTime }: v.InferOutput<typeof Child>): boolean {
  const leader = processOf(pid);
  if (leader !== undefined) return leader.startTime === startTime;
  const isOurs = (entry: ProcessEntry) => entry.session === pid && BigInt(entry.startTime) >= BigInt(startTime);
  const members = membersOf(pid);
  return members.length > 0 && members.every(isOurs);
}

function fileIn(data: string): string {
  return path.join(data, "run.json");
}
