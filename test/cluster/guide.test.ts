/** The installation guides, word for word: every command is run, and must answer what they show; `…` stands for anything. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { root } from "../../infra/wrangler.ts";
import { linesOf, patternOf } from "../harness/transcript.ts";
import { Api, type KubeObject, until } from "./api.ts";
import { adminToken } from "./control-plane.ts";

const facts = inject("field");
const api = new Api(facts.url, facts.caFile, adminToken);
let folder: string;
let shell: Shell;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "entrance-guide-"));
  symlinkSync(path.join(root, "infra"), path.join(folder, "infra"));
  const programs = path.join(folder, "bin");
  mkdirSync(programs);
  symlinkSync(facts.kubectl, path.join(programs, "kubectl"));
  shell = new Shell(folder, { PATH: `${programs}:${process.env["PATH"]}`, KUBECONFIG: facts.kubeconfig, HOME: folder });
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") console.error(logsOf("entrance"));
  await shell.end();
  rmSync(folder, { recursive: true, force: true });
  for (const name of ["hello", "entrance", "entrance-nodes"]) {
    const namespace: KubeObject = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
    await api.delete(namespace);
    await until("the namespace is gone", async () => (await api.get(namespace)) === undefined, 90_000);
  }
  rmSync("/var/lib/entrance-node-state", { recursive: true, force: true });
  rmSync("/var/lib/claims", { recursive: true, force: true });
});

test.each(["README.md"])("infra/kubernetes/%s", { timeout: 400_000 }, async (file) => {
  const lines = linesOf(readFileSync(path.join(root, "infra/kubernetes", file), "utf8"));
  expect(lines.length).toBeGreaterThan(20);
  for (const { command, answer } of lines) {
    const said = await shell.run(command);
    expect(said.trimEnd(), command).toMatch(patternOf(answer));
  }
  await nothingIsLeft();
});

/** No webhook that blocks, no role, no namespace. */
async function nothingIsLeft(): Promise<void> {
  const everywhere: Readonly<Record<string, string>> = {
    ValidatingWebhookConfiguration: "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
    ClusterRole: "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    ClusterRoleBinding: "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    IngressClass: "/apis/networking.k8s.io/v1/ingressclasses",
  };
  for (const [kind, at] of Object.entries(everywhere)) {
    const { items } = await api.list(at);
    expect(
      items
        .filter(({ metadata }) => metadata.name.startsWith("entrance"))
        .map(({ metadata }) => `${kind} ${metadata.name}`),
    ).toEqual([]);
  }
  const namespaces = ["entrance", "entrance-nodes"].map(
    (name): KubeObject => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } }),
  );
  for (const namespace of namespaces)
    await until("the namespace is gone", async () => (await api.get(namespace)) === undefined);
}

/** What its pods printed last. */
function logsOf(namespace: string): string {
  const files = globSync(path.join(facts.folder, `pods/${namespace}*/*.log`));
  return files.map((file) => `${file}\n${readFileSync(file, "utf8").slice(-2_000)}`).join("\n");
}

/** One shell for the whole guide: variables go on. */
class Shell {
  readonly #child: ChildProcessWithoutNullStreams;
  #said = "";
  #heard: () => void = () => undefined;

  constructor(cwd: string, env: Readonly<Record<string, string>>) {
    this.#child = spawn("bash", ["--norc"], { cwd, env });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        this.#said += chunk.toString();
        this.#heard();
      });
    }
  }

  async run(command: string): Promise<string> {
    this.#said = "";
    const end = "-- end of the command --";
    this.#child.stdin.write(`${command}\necho; echo '${end}'\n`);
    while (!this.#said.includes(end)) {
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
    return this.#said.slice(0, this.#said.indexOf(end)).trimEnd();
  }

  async end(): Promise<void> {
    this.#child.kill();
  }
}
