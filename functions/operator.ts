/**
 * What operators do with a store: `npm run store -- COMMAND` and `npm run adopt -- BALANCER`. The store is opened by the
 * settings that Entrance itself has, or reached through one that runs (`--at URL`), which is the only way to a Durable
 * Object's and to a file that a running process holds. All commands are operations of the store's port either way.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { EntranceError } from "../shared/model/error.ts";
import { adopt, adoptionMs, strangeNodes } from "../shared/operate/adopt.ts";
import { closeStore, openStore } from "../shared/operate/close.ts";
import { exportStore } from "../shared/operate/export.ts";
import { forget } from "../shared/operate/forget.ts";
import { freeze, unfreeze } from "../shared/operate/freeze.ts";
import { headsOf } from "../shared/operate/heads.ts";
import { importPackage } from "../shared/operate/import.ts";
import { checkPackage, maxLineCharacters, readPackage } from "../shared/operate/package.ts";
import { readHead } from "../shared/reconcile/head.ts";
import { headKey, lockKey } from "../shared/reconcile/keys.ts";
import { closedSentence, readLock } from "../shared/reconcile/lock.ts";
import { defaultTiming } from "../shared/reconcile/settings.ts";
import { openStoreByDoor } from "../shared/store/by-door.ts";
import { openNodeStore } from "../shared/store/node-sqlite.ts";
import type { Store } from "../shared/store/port.ts";
import { type Config, readConfig } from "./config.ts";
import { openLines, writeLines } from "./lines.ts";
import { openSharedStore } from "./shared-store.ts";

const usage = `npm run store -- show                         what the store knows, and whether it is frozen or closed
npm run store -- export FILE [--close]        all it has, into a file; --close: it goes to another place, and drives no node any more
npm run store -- import FILE [--replace]      into an empty store; --replace: what the store has goes
                                              FILE may be -: standard output, standard input
npm run store -- close | open                 no store of anybody's nodes any more | again
npm run store -- freeze | unfreeze [BALANCER] nothing is pushed, all is observed
npm run store -- forget BALANCER              that is in the settings no more
npm run adopt -- BALANCER [STORE | --yes]     nodes that another store drove
Each by the settings ENTRANCE_*, or with --at URL through an Entrance that runs (ENTRANCE_OPERATOR_TOKEN, else ENTRANCE_WEBHOOK_TOKEN).`;

const options = {
  at: { type: "string" },
  close: { type: "boolean", default: false },
  replace: { type: "boolean", default: false },
  yes: { type: "boolean", default: false },
} as const;

type Flags = ReturnType<typeof parseArgs<{ options: typeof options }>>["values"];

interface Command {
  /** How many words follow. */
  readonly words: readonly [least: number, most: number];
  readonly flags: readonly (keyof Flags)[];
  readonly run: (store: Store, words: readonly string[], flags: Flags) => Promise<void>;
}

const commands: Readonly<Record<string, Command>> = {
  show: { words: [0, 0], flags: [], run: show },
  export: { words: [1, 1], flags: ["close"], run: exportInto },
  import: { words: [1, 1], flags: ["replace"], run: importFrom },
  close: {
    words: [0, 0],
    flags: [],
    run: async (store) => {
      await closeStore(store, Date.now());
      say("The store is closed: callers get 503, and nothing is pushed from it.");
    },
  },
  open: {
    words: [0, 0],
    flags: [],
    run: async (store) => {
      await openStore(store);
      say("The store is open.");
    },
  },
  freeze: {
    words: [0, 1],
    flags: [],
    run: async (store, [balancer]) => {
      const names = await freeze(store, balancer, Date.now());
      say(`Frozen: ${names.join(", ")}. Nodes keep what they have until npm run store -- unfreeze`);
    },
  },
  unfreeze: {
    words: [0, 1],
    flags: [],
    run: async (store, [balancer]) => {
      const names = await unfreeze(store, balancer);
      say(`Not frozen any more: ${names.join(", ")}. Nodes are brought to their head within seconds.`);
    },
  },
  forget: {
    words: [1, 1],
    flags: [],
    run: async (store, [balancer = ""]) => {
      await forget(store, balancer);
      say(`Balancer ${balancer} is forgotten. Its nodes serve on what they had: stop them, or empty their state.`);
    },
  },
  adopt: { words: [1, 2], flags: ["yes"], run: adoptNodes },
};

async function show(store: Store): Promise<void> {
  const { closed, fence } = readLock(await store.get(lockKey));
  say(
    closed === undefined ? `open, fence ${fence}` : `CLOSED since ${timeOf(closed.since)}: ${closedSentence(closed)}`,
  );
  for (const { balancer: name, head } of await headsOf(store)) {
    const { store: id, epoch, revision, digest, complete, frozen } = head;
    say(`balancer ${name}: store ${id}, epoch ${epoch}, revision ${revision}, digest ${digest}`);
    if (!complete) say("  everything is listed and translated before anything is pushed");
    if (frozen !== undefined) say(`  FROZEN since ${timeOf(frozen)}: nothing is pushed`);
    for (const { node, store: other } of await strangeNodes(store, name)) say(`  ${node} belongs to store ${other}`);
  }
}

async function exportInto(store: Store, [file = ""]: readonly string[], { close }: Flags): Promise<void> {
  if (close === true) await closeStore(store, Date.now());
  const lines = await writeLines(file, exportStore(operating(store)));
  const place = file === "-" ? "the package" : file;
  const sentences = [
    `${lines - 2} records are in ${place}. It has no key in the clear; ENTRANCE_SEAL_KEY is needed to use it.`,
    ...(close === true
      ? ["This store is closed now. Import the file elsewhere, and start Entrance with that store."]
      : []),
  ];
  // Standard output is the package itself.
  for (const sentence of sentences) file === "-" ? console.error(sentence) : say(sentence);
}

async function importFrom(store: Store, [file = ""]: readonly string[], { replace }: Flags): Promise<void> {
  const lines = await openLines(file, maxLineCharacters);
  const { header } = await checkPackage(lines());
  const written = await importPackage(store, Date.now, await readPackage(lines()), replace === true);
  say(`${written} records of ${header.made} are in the store. Whoever works on it translates, and lists, everything.`);
}

async function adoptNodes(store: Store, [balancer = "", chosen]: readonly string[], { yes, at }: Flags): Promise<void> {
  const strange = await strangeNodes(store, balancer);
  for (const { node, store: id } of strange) say(`${node} belongs to store ${id}`);
  const ids = [...new Set(strange.map((each) => each.store))];
  if (ids.length === 0 && chosen === undefined) {
    say(`No node of balancer ${balancer} has said that another store drives it.`);
    return;
  }
  const head = readHead(await store.get(headKey(balancer)));
  if (chosen === undefined && yes !== true) {
    say(`What these nodes serve would be replaced by revision ${head?.revision} of store ${head?.store}. To do that:`);
    for (const id of ids) say(`  ${adopting} ${balancer} ${id}${at === undefined ? "" : ` --at ${at}`}`);
    return;
  }
  if (chosen !== undefined && !/^[\x21-\x7e]{1,128}$/.test(chosen)) {
    throw new EntranceError("invalid", "a store's id is what the node says: hexadecimal digits");
  }
  await adopt(store, balancer, chosen === undefined ? ids : [chosen], Date.now());
  say(`Nodes of balancer ${balancer} are adopted as they are met, within ${adoptionMs / 60_000} minutes.`);
}

/** As it is typed here: an image has no npm scripts. */
const adopting = import.meta.filename.endsWith(".ts") ? "npm run adopt --" : `node ${import.meta.filename} adopt`;

function operating(store: Store) {
  const counters = { add: () => undefined };
  const instance = `operator-${crypto.randomUUID().slice(0, 8)}`;
  return { store, now: Date.now, timing: defaultTiming, instance, counters, pause: (ms: number) => pause(ms) };
}

async function open(config: Config, at: string | undefined): Promise<Store> {
  if (at !== undefined) {
    const url = URL.canParse(at) ? new URL(at) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "" || url.pathname !== "/") {
      throw new EntranceError("invalid", "--at needs a URL like http://127.0.0.1:8787");
    }
    return openStoreByDoor({ url: url.origin, token: config.operatorTokens[0], fetch });
  }
  if (config.store.type !== "embedded") return openSharedStore(config.store);
  return openNodeStore(fileOf(config));
}

function fileOf({ dataDirectory }: Config): string {
  return join(dataDirectory, "entrance.sqlite");
}

async function main(): Promise<void> {
  const { name, command, words, flags } = readArguments();
  const config = readConfig(process.env);
  const isNew = flags.at === undefined && config.store.type === "embedded" && !existsSync(fileOf(config));
  if (isNew && name !== "import") {
    const sentence = `there is no store in ENTRANCE_DATA (${config.dataDirectory}): name an Entrance that runs, with --at URL`;
    throw new EntranceError("misconfigured", sentence);
  }
  const store = await open(config, flags.at);
  try {
    await command.run(store, words, flags);
    // What has changed is to be followed at once; without it the timer is some seconds later.
    if (flags.at !== undefined && ["open", "unfreeze", "adopt", "import"].includes(name)) await nudge(config, flags.at);
  } finally {
    await store.close();
  }
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const [name = "", ...words] = positionals;
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    const isFlagOf = (flag: string) => flag === "at" || command?.flags.some((each) => each === flag) === true;
    const given = Object.entries(values).flatMap(([flag, value]) => (value === false ? [] : [flag]));
    const [least = 0, most = 0] = command?.words ?? [];
    if (command === undefined || words.length < least || words.length > most || !given.every(isFlagOf)) {
      throw new EntranceError("invalid", usage);
    }
    return { name, command, words, flags: values };
  } catch (error) {
    if (error instanceof EntranceError) throw error;
    throw new EntranceError("invalid", `${error instanceof Error ? error.message : String(error)}\n${usage}`);
  }
}

async function nudge(config: Config, at: string): Promise<void> {
  const token = config.operatorTokens[0];
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` };
  await fetch(new URL("/resync", at), { method: "POST", headers, signal: AbortSignal.timeout(60_000) }).catch(
    () => undefined,
  );
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

function say(sentence: string): void {
  console.log(sentence);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof EntranceError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
