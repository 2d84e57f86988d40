/** kubectl, as a user types it. */
import { spawn } from "node:child_process";
import type { Facts } from "./field.ts";

export interface Said {
  readonly code: number;
  readonly out: string;
  /** Warnings and refusals. */
  readonly err: string;
}

export function kubectl({ kubectl: program, kubeconfig }: Facts, args: readonly string[], input = ""): Promise<Said> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ["--kubeconfig", kubeconfig, ...args], { stdio: ["pipe", "pipe", "pipe"] });
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
