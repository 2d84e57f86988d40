/** What a killed supervisor has left is found and ended; what only looks like it is not. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { membersOf, processOf } from "../../infra/local/process-table.ts";
import { endOrphans, writeRun } from "../../infra/local/run-file.ts";
import { until } from "./installation.ts";

let data: string;
let leader: ChildProcess;
let pid: number;

beforeEach(async () => {
  data = mkdtempSync(path.join(tmpdir(), "entrance-local-"));
  // As nginx: a leader with a child in its group.
  leader = spawn("sh", ["-c", "sleep 600 & sleep 600; true"], { detached: true, stdio: "ignore" });
  await once(leader, "spawn");
  pid = leader.pid ?? 0;
  await until(() => membersOf(pid).length === 3, "the group is complete");
});

afterEach(() => {
  if (membersOf(pid).length > 0) process.kill(-pid, "SIGKILL");
  rmSync(data, { recursive: true });
});

function note(startTime: string): void {
  writeRun(data, { supervisor: 1, url: "http://127.0.0.1:8787", children: [{ name: "node", pid, startTime }] });
}

test("a group that still runs is ended", async () => {
  note(processOf(pid)?.startTime ?? "");
  expect(await endOrphans(data)).toEqual(["node"]);
  expect(membersOf(pid)).toEqual([]);
});

test("so are the processes that outlived their leader", async () => {
  note(processOf(pid)?.startTime ?? "");
  const gone = once(leader, "exit");
  process.kill(pid, "SIGKILL");
  await gone;
  expect(membersOf(pid)).toHaveLength(2);
  expect(await endOrphans(data)).toEqual(["node"]);
  expect(membersOf(pid)).toEqual([]);
});

test("a process that only got the same number is left alone", async () => {
  note("1");
  expect(await endOrphans(data)).toEqual([]);
  expect(membersOf(pid)).toHaveLength(3);
});

test("without a note there is nothing to do", async () => {
  expect(await endOrphans(data)).toEqual([]);
});
