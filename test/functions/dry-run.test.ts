/** A dry run writes nothing, with a Kubernetes API neither: not what was asked, and not that somebody asked. */
import { expect, test } from "vitest";
import { heardKey } from "../../shared/reconcile/keys.ts";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import { newTestDoors, post } from "../harness/doors.ts";
import { ListedCluster } from "../harness/listed-cluster.ts";
import { review, service } from "../observe/wire.ts";

test("a dry run commits nothing, and what is none is noted as heard", async () => {
  const memory = openMemoryStore();
  let commits = 0;
  const commit: typeof memory.commit = (checks, writes) => {
    commits += 1;
    return memory.commit(checks, writes);
  };
  const doors = newTestDoors({}, { store: { ...memory, commit }, kubernetes: new ListedCluster() });
  for (const dry of [{ dryRun: true }, { options: { dryRun: ["All"] } }]) {
    for (const kind of ["Service", "Pod"]) {
      const answer = await post(doors, "/admission", review("CREATE", kind, { object: service(), ...dry }));
      expect(await answer.json()).toMatchObject({ response: { allowed: true } });
    }
  }
  expect(commits).toBe(0);
  await post(doors, "/admission", review("CREATE", "Service", { object: service() }));
  expect(await memory.get(heardKey("review"))).toBeDefined();
});
