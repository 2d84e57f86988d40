/** `npm run store` and `npm run adopt`, as an operator types them. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("../../functions/operator.ts", import.meta.url));

export interface Typed {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

/** `environment`: the settings that Entrance itself has. */
export function type(environment: Readonly<Record<string, string>>, ...words: readonly string[]): Promise<Typed> {
  return typeInto("", environment, ...words);
}

/** With `input` as its standard input. */
export async function typeInto(
  input: string,
  environment: Readonly<Record<string, string>>,
  ...words: readonly string[]
): Promise<Typed> {
  const env = { PATH: process.env["PATH"] ?? "", ...environment };
  const child = spawn(process.execPath, [script, ...words], { env, stdio: ["pipe", "pipe", "pipe"] });
  // Whoever does not read it may end first.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const said = { out: "", error: "" };
  child.stdout.on("data", (chunk: Buffer) => {
    said.out += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    said.error += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { code, ...said };
}

/** Throws with what was said where it was not done. */
export async function done(
  environment: Readonly<Record<string, string>>,
  ...words: readonly string[]
): Promise<string> {
  const { code, out, error } = await type(environment, ...words);
  if (code !== 0) throw new Error(`${words.join(" ")}: ${out}${error}`);
  return out;
}
