/** Ending a child together with everything that it started: nginx's workers outlive their master, workerd its host. */
import { setTimeout as sleep } from "node:timers/promises";
import { membersOf } from "./process-table.ts";

const graceMs = 3_000;
const pollMs = 20;

/** Asks a group to end, insists after a while, and returns when nobody of it is left. */
export async function endGroup(group: number): Promise<void> {
  signalGroup(group, "SIGTERM");
  const insistAt = Date.now() + graceMs;
  while (membersOf(group).length > 0) {
    if (Date.now() > insistAt) signalGroup(group, "SIGKILL");
    await sleep(pollMs);
  }
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // nobody left
  }
}
