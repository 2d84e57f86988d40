/** Searches everything that is kept and said for private keys. */
import { globSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { makeCertificate } from "../../harness/certificate.ts";
import { calmSecret } from "./calm.ts";
import type { Drill } from "./drill.ts";
import type { Field } from "./field.ts";
import { foundIn, foundInFile, type Needle, needlesOf, plantedTexts } from "./search.ts";

const writtenWithinMs = 10_000;

/** Where a text was said, and the text. */
type Said = readonly [where: string, text: string];

/** What a node says of a certificate that is certainly there. */
const calmView = `/v2/resources/Certificate/${calmSecret.namespace}/${calmSecret.name}`;

/** Sentences: which form was found where; the needles themselves are in none. And where nothing could be looked at. */
export async function secretsSaid({ field, cluster, pairs }: Drill): Promise<string[]> {
  const needles = pairs.flatMap(({ key }) => needlesOf(key));
  const found: string[] = [];
  const tell = (where: string, forms: readonly string[]) => found.push(...forms.map((form) => `${form} in ${where}`));
  for (const file of [...field.store.files(), ...filesOf(field)]) tell(file, foundInFile(file, needles));
  tell("all that the store tells", foundIn(await field.store.everything(), needles));
  // It may well have nothing to say.
  tell("what the store printed", foundIn(field.store.printed(), needles));
  const secrets = [...cluster.objects.keys()].filter((key) => key.startsWith("Secret/"));
  const certificates = secrets.map((key) => `/v2/resources/${key.replace("Secret", "Certificate")}`);
  const texts = [...printed(field), ...(await views(field, certificates))];
  for (const [where, text] of [...texts, ["an answer to a webhook", cluster.webhooks.answers.join("\n")] as const]) {
    if (text === "") found.push(`nothing in ${where}`);
    tell(where, foundIn(text, needles));
  }
  return found;
}

/** Logs of the nodes, and all that an Entrance keeps: of a node's state keys are a part. */
function filesOf({ nodes, entrances }: Field): string[] {
  const folders = [
    ...nodes.map(({ directory }) => join(directory, "logs")),
    ...entrances.map(({ directory }) => directory),
  ];
  const entries = folders.flatMap((folder) => globSync("**/*", { cwd: folder, withFileTypes: true }));
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

function printed({ entrances }: Field): Said[] {
  return entrances.map(({ log }): Said => ["what an Entrance printed", log]);
}

/** All that is answered to who may ask for everything. */
async function views({ entrances, nodes }: Field, certificates: readonly string[]): Promise<Said[]> {
  const ofEntrances = entrances.flatMap((entrance) =>
    ["/status", "/metrics", "/", "/readyz"].map(async (path): Promise<Said> => {
      const answer = await entrance.fetch(path);
      return [`${path} of Entrance`, answer.status === 200 ? await answer.text() : ""];
    }),
  );
  const ofNodes = nodes.flatMap((node) =>
    ["/v2/state", "/metrics", calmView, ...certificates].map(async (path): Promise<Said> => {
      const { status, text } = await node.admin(path);
      // Not each Secret is used by somebody.
      const isThere = status === 200 || (status === 404 && path !== calmView && certificates.includes(path));
      return [`${path} of a node`, isThere ? text : ""];
    }),
  );
  return Promise.all([...ofEntrances, ...ofNodes]);
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
    "a node's log": [hex, async () => filesOf(field).flatMap((file) => foundInFile(file, hex))],
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
