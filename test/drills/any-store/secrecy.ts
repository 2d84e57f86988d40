/** Searches everything that is kept and said for private keys. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { makeCertificate } from "../../harness/certificate.ts";
import type { Field } from "./field.ts";
import { foundIn, foundInFile, type Needle, needlesOf, plantedTexts } from "./search.ts";

const logMs = 10_000;

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
  const direct = store.open();
  const value = JSON.stringify(plantedTexts(key));
  await direct.commit([], [{ key: { partition: "planted", sort: "planted" }, value }]);
  await direct.close();
  const needles = needlesOf(key).filter(({ form }) => form !== "bytes");
  const missing = (found: readonly string[]) => needles.filter(({ form }) => !found.includes(form));
  const inFiles = missing(store.files().flatMap((file) => foundInFile(file, needles)));
  const inAll = missing(foundIn(await store.everything(), needles));
  const told =
    (where: string) =>
    ({ form }: Needle) =>
      `${form} in ${where}`;
  const hex = needles.filter(({ form }) => form === "hex");
  await nodes[0]?.get("calm.example", `/${hex[0]?.bytes}`);
  const isLogged = await loggedWithin(() => logsOf(field).some((file) => foundInFile(file, hex).length > 0));
  const inLogs = isLogged ? [] : ["hex in a node's log"];
  return [...inFiles.map(told("files")), ...inAll.map(told("all that the store tells")), ...inLogs];
}

/** A node writes its log once a second. */
async function loggedWithin(isLogged: () => boolean): Promise<boolean> {
  for (const giveUpAt = Date.now() + logMs; !isLogged(); await sleep(50)) if (Date.now() > giveUpAt) return false;
  return true;
}
