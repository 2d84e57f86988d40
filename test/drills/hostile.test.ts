/** Random hostile requests: nothing crashes, nothing that was sent is ever run or written as configuration. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { startBackend } from "../harness/backend.ts";
import { dice } from "../harness/dice.ts";
import { freePorts } from "../harness/free-ports.ts";
import { startNode } from "../harness/node.ts";
import { settled } from "../node/l4/values.ts";
import { report, times } from "./field.ts";
import { attackAdmin, bystander } from "./hostile/admin-request.ts";
import { attackData } from "./hostile/data-request.ts";
import { hostileWords } from "./hostile/words.ts";

const atOnce = 8;

/** Every file that nginx or a shell might read as more than data, as of one moment: old generations go meanwhile. */
function configuration(directory: string): Promise<Map<string, string>> {
  return vi.waitFor(() => read(directory), { timeout: 5_000 });
}

function read(directory: string): Map<string, string> {
  const files = readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile() && /\.(conf|sh|lua)$/.test(path));
  return new Map(files.map((path) => [path, readFileSync(path, "utf8")]));
}

test("hostile requests run nothing, write nothing, crash nothing, and harm nobody else", {
  timeout: 1_200_000,
}, async () => {
  const attacks = times(400, 5_000);
  const seed = Number(process.env["HOSTILE_SEED"] ?? "20261122");
  const roll = dice(seed);
  await using backend = await startBackend("bystander");
  await using node = await startNode({ workers: 2 });
  const [tcp = 0, udp = 0] = await freePorts(2);
  const canary = join(node.directory, "canary");
  const words = hostileWords(canary);
  const listeners = { tcp, udp };
  await node.apply([
    ...bystander(backend.port),
    ...Object.entries(listeners).map(([protocol, port]) => ({
      key: `VirtualService/${protocol}/${port}`,
      value: { port, protocol, addresses: [], pool: "Pool/shop/bystander/80", enabled: true },
    })),
  ]);
  await settled(node);
  const master = node.masterPid;

  const statuses: Record<string, number> = {};
  const faults: string[] = [];
  let left = attacks;
  const attack = async () => {
    while (left > 0) {
      left -= 1;
      const number = attacks - left;
      const isOnAdmin = roll(2) === 0;
      const outcome = isOnAdmin
        ? await attackAdmin(roll, node, words)
        : await attackData(roll, { http: node.ports.http, https: node.ports.https, ...listeners }, words);
      const { status } = outcome;
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (status === 500 || status === 555) faults.push(`attack ${number}: ${status} ${outcome.sent}`);
      if (number % 50 === 0) {
        const { status: served } = await node.get("bystander.example");
        if (served !== 200) faults.push(`after attack ${number} the bystander was answered ${served}`);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, attack));

  expect(faults).toEqual([]);
  expect(existsSync(canary)).toBe(false);
  for (const [path, text] of await configuration(node.directory)) {
    expect(text.includes("canary"), `${path} holds what was sent`).toBe(false);
    expect(text.includes("pwned"), `${path} holds what was sent`).toBe(false);
  }
  const log = node.log();
  expect(
    log
      .split("\n")
      .filter((line) => /\[(alert|emerg|crit)\]|exited on signal|traceback|runtime error|attempt to/.test(line)),
  ).toEqual([]);
  expect(node.masterPid).toBe(master);
  const after = await node.state();
  expect({ digest: after.digest, revision: after.revision, ready: after.ready }).toEqual({
    digest: node.sender.head()["digest"],
    revision: node.sender.revision,
    ready: true,
  });
  expect((await node.get("bystander.example")).status).toBe(200);

  // What was taken in is still there, and all of it is readable, after a restart.
  await node.restart();
  const again = await node.state();
  expect({ digest: again.digest, ready: again.ready }).toEqual({ digest: after.digest, ready: true });
  expect(existsSync(canary)).toBe(false);
  report("hostile", { attacks, seed, ...statuses, "rejected values": after.rejectedCount });
});
