/** Searches everything that is kept and said for private keys. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { makeCertificate } from "../../harness/certificate.ts";
import type { Field } from "./field.ts";
import { foundIn, foundInFile, type Needle, needlesOf, plantedTexts } from "./search.ts";

const writtenWithinMs = 10_000;

/** Sentences: which form was found where; the needles themselves are in none. */
export async function secretsSaid(field: Field, keys: readonly string[]): Promise<string[]> {
  const needles = keys.flatMap(needlesOf);
  const found: string[] = [];
  const tell = (where: string, forms: readonly string[]) => found.push(...forms.map((form) => `${form} in ${where}`));
  for (const file of [...field.store.files(), ...logsOf(field)]) tell(file, foundInFile(file, needles));
  tell("all that the store tells", foundIn(await field.store.everything(), needles));
  for (const [where, text] of await said(field)) tell(where, foundIn(text, needles));
  return found;
}

function logsOf({ nodes }: Field): string[] {
  const files = nodes.flatMap(({ directory }) =>
    ["error.log", "access.log"].map((name) => join(directory, "logs", name)),
  );
  return files.filter((file) => existsSync(file));
}

async function said({ entrances, nodes }: Field): Promise<[string, string][]> {
  const views = entrances.flatMap((entrance) =>
    ["/status", "/metrics", "/"].map(async (path): Promise<[string, string]> => {
      return [`${path} of Entrance`, await (await entrance.fetch(path)).text()];
    }),
  );
  const states = nodes.flatMap((node) =>
    ["/v2/state", "/metrics", "/v2/resources/Certificate%2Fcalm%2Fcalm-tls"].map(
      async (path): Promise<[string, string]> => [`${path} of a node`, (await node.admin(path)).text],
    ),
  );
  const logs = entrances.map(({ log }): [string, string] => ["what an Entrance printed", log]);
  return [...logs, ...(await Promise.all([...views, ...states]))];
}

/** The same search for a key that lies in the store in all forms, and in hex in a node's log: what it does not find. */
export async function overlooked(field: Field): Promise<string[]> {
  const { store, nodes } = field;
  const { key } = makeCertificate(["planted.example"]);
  const needles = needlesOf(key).filter(({ form }) => form !== "bytes");
  const hex = needles.filter(({ form }) => form === "hex");
  const direct = store.open();
  const value = JSON.stringify(plantedTexts(key));
  await direct.commit([], [{ key: { partition: "planted", sort: "planted" }, value }]);
  await direct.close();
  await nodes[0]?.get("planted.example", `/${hex[0]?.bytes}`);
  const looks: Record<string, readonly [readonly Needle[], () => Promise<readonly string[]>]> = {
    "the store's files": [needles, async () => store.files().flatMap((file) => foundInFile(file, needles))],
    "all that the store tells": [needles, async () => foundIn(await store.everything(), needles)],
    "a node's log": [hex, async () => logsOf(field).flatMap((file) => foundInFile(file, hex))],
  };
  const missing = Object.entries(looks).map(async ([where, [sought, look]]) => {
    const forms = await missingWithin(sought, look);
    return forms.map((form) => `${form} in ${where}`);
  });
  return (await Promise.all(missing)).flat();
}

/** What is written comes to a file a moment later; to a node's log within a second. */
async function missingWithin(sought: readonly Needle[], look: () => Promise<readonly string[]>): Promise<string[]> {
  for (const giveUpAt = Date.now() + writtenWithinMs; ; await sleep(50)) {
    const found = await look();
    const missing = sought.map(({ form }) => form).filter((form) => !found.includes(form));
    if (missing.length === 0 || Date.now() > giveUpAt) return missing;
  }
}
