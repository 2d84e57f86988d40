/** kubectl and helm, as a user types them. */
import { spawn } from "node:child_process";
import type { Facts } from "./field.ts";

export interface Said {
  readonly code: number;
  readonly out: string;
  /** Warnings and refusals. */
  readonly err: string;
}

export function kubectl({ kubectl: program, kubeconfig }: Facts, args: readonly string[], input = ""): Promise<Said> {
  return run(program, ["--kubeconfig", kubeconfig, ...args], input);
}

/** It keeps what it fetches and remembers in the tests' own folder. */
export function helm({ helm: program, kubeconfig, folder }: Facts, args: readonly string[], input = ""): Promise<Said> {
  const own = {
    HELM_CACHE_HOME: `${folder}/helm`,
    HELM_CONFIG_HOME: `${folder}/helm`,
    HELM_DATA_HOME: `${folder}/helm`,
  };
  return run(program, args, input, { ...process.env, KUBECONFIG: kubeconfig, ...own });
}

function run(program: string, args: readonly string[], input: string, env = process.env): Promise<Said> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ["pipe", "pipe", "pipe"] });
    let [out, err] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      err += chunk.toString();
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, out, err }));
    child.stdin.end(input);
  });
}
