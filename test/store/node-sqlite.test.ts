import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openMemoryStore, openNodeStore } from "../../shared/store/node-sqlite.ts";
import { runStoreConformance } from "./conformance.ts";

const oneClient = "the embedded store means exactly one process, and its connection serves all";

runStoreConformance({ name: "node:sqlite in memory", open: async () => openMemoryStore(), oneClient });
runStoreConformance({
  name: "node:sqlite in a file",
  open: async () => openNodeStore(join(mkdtempSync(join(tmpdir(), "entrance-store-")), "new", "store.db")),
  oneClient,
});
