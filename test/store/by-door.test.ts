/** The store of an Entrance that runs, by its door: a store like any other. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { openStoreByDoor } from "../../shared/store/by-door.ts";
import { EntranceProcess } from "../harness/entrance-process.ts";
import { put, runStoreConformance } from "./conformance.ts";

let entrance: EntranceProcess;
beforeAll(async () => {
  entrance = await EntranceProcess.start({ platform: "node", nodes: [] });
});
afterAll(() => entrance.stop());

const open = (url = entrance.url) => openStoreByDoor({ url, token: undefined, fetch });

runStoreConformance({
  name: "a store by its door",
  open: async () => open(),
  isFar: true,
  skip: [
    {
      reason: "the clock is that of the process behind the door; its store has a run of its own",
      tests: ["clients whose clock jumps by an hour, forth and back, see one another's writes in their order"],
    },
  ],
});

test("a commit that is not answered is uncertain, a read unavailable; what is no Entrance is said to be none", async () => {
  const nobody = open("http://127.0.0.1:9");
  await expect(put(nobody, "p", { a: "1" })).rejects.toMatchObject({ code: "uncertain" });
  await expect(nobody.get({ partition: "p", sort: "a" })).rejects.toMatchObject({ code: "unavailable" });
  const strange = openStoreByDoor({
    url: entrance.url,
    token: undefined,
    fetch: async () => Response.json({ hello: 1 }),
  });
  await expect(strange.list("p", undefined, 10)).rejects.toMatchObject({
    code: "invalid",
    message: expect.stringMatching(/no Entrance/),
  });
});
