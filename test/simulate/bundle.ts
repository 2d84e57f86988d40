/** The simulation as one script, with the project's real code in it, or with one of its checks taken out. */
import { readFile } from "node:fs/promises";
import { build, type Plugin } from "esbuild";
import { root } from "../../infra/wrangler.ts";
import { type Mutation, mutated } from "./mutation.ts";

/** Limits that a simulation with few objects would never come near. */
const smaller: readonly Mutation[] = [
  { file: "shared/reconcile/list.ts", find: "const fewDeletions = 50;", put: "const fewDeletions = 2;" },
  { file: "shared/store/port.ts", find: "export const maxCommitKeys = 40;", put: "export const maxCommitKeys = 24;" },
  { file: "shared/reconcile/register.ts", find: "const readsPerGroup = 8;", put: "const readsPerGroup = 3;" },
  { file: "shared/reconcile/outcome.ts", find: "const returnedPerGroup = 8;", put: "const returnedPerGroup = 3;" },
  { file: "shared/reconcile/ledger.ts", find: "const marksPerGroup = 20;", put: "const marksPerGroup = 6;" },
  { file: "shared/reconcile/secrets.ts", find: "const forgottenPerCommit = 8;", put: "const forgottenPerCommit = 2;" },
  {
    file: "shared/reconcile/want.ts",
    find: "const maxPartCharacters = 100_000;",
    put: "const maxPartCharacters = 8_000;",
  },
];

/** The same by quicker ways: bodies are texts, what a process of its own would read anew is known, SHA-1 is Node's. */
const quicker: readonly Mutation[] = [
  {
    file: "functions/body.ts",
    find: "export async function readJson(request: Request, maxBytes: number): Promise<unknown> {",
    put: `export async function readJson(request: Request): Promise<unknown> { return JSON.parse(await request.text()); }
      export async function readBytes(request: Request, maxBytes: number): Promise<unknown> {`,
  },
  {
    file: "shared/model/canonical.ts",
    find: "return bytesToHex(sha1(utf8ToBytes(text)));",
    put: 'return process.getBuiltinModule("node:crypto").hash("sha1", text);',
  },
  {
    file: "shared/reconcile/record.ts",
    find: "export function readRecord<T>(schema: v.GenericSchema<unknown, T>, entry: Entry): T {",
    put: `export function readRecord<T>(schema: v.GenericSchema<unknown, T>, entry: Entry): T {
        return globalThis.remembered(schema, entry, () => readAnew(schema, entry));
      }
      function readAnew<T>(schema: v.GenericSchema<unknown, T>, entry: Entry): T {`,
  },
];

export async function bundleSimulation(changes: readonly Mutation[] = []): Promise<string> {
  const mutations = [...smaller, ...quicker, ...changes];
  const applied = new Set<Mutation>();
  const result = await build({
    absWorkingDir: root,
    entryPoints: ["test/simulate/worker.ts"],
    bundle: true,
    write: false,
    platform: "node",
    target: "node24",
    format: "cjs",
    legalComments: "none",
    logLevel: "error",
    plugins: [mutate(mutations, applied)],
  });
  const missed = mutations.find((mutation) => !applied.has(mutation));
  if (missed !== undefined) throw new Error(`${missed.file} is no part of the simulation`);
  const [output] = result.outputFiles;
  if (output === undefined) throw new Error("the simulation was not bundled");
  return output.text;
}

function mutate(mutations: readonly Mutation[], applied: Set<Mutation>): Plugin {
  return {
    name: "mutate",
    setup(plugin) {
      for (const file of new Set(mutations.map((mutation) => mutation.file))) {
        plugin.onLoad({ filter: new RegExp(`/${file.replaceAll(/[.]/g, "\\.")}$`) }, async ({ path }) => {
          const its = mutations.filter((each) => each.file === file);
          for (const mutation of its) applied.add(mutation);
          return { contents: mutated(await readFile(path, "utf8"), its), loader: "ts" };
        });
      }
    },
  };
}
