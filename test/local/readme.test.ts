/** Every command line that the READMEs show is run, and must answer what they show; `…` stands for anything. */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freePorts } from "../harness/free-ports.ts";
import { linesOf, patternOf } from "../harness/transcript.ts";
import { Installation } from "./installation.ts";

const root = path.join(import.meta.dirname, "../..");
const samples = "infra/local/samples/";
const changed = ["blog.yaml", "secure.yaml"];
let here: Installation;
let tcpPort: number;

beforeEach(async () => {
  here = await Installation.make();
  await here.start();
  [tcpPort = 0] = await freePorts(1);
  for (const name of changed) {
    const text = readFileSync(path.join(root, samples, name), "utf8");
    const own = text.replaceAll("10082", here.env["ENTRANCE_SAMPLE_BLOG_PORT"] ?? "").replaceAll("10090", `${tcpPort}`);
    writeFileSync(path.join(here.data, name), own);
  }
});

afterEach(() => here.remove());

test.each(["README.md", "README.zh-CN.md"])("%s shows what happens", async (file) => {
  const lines = linesOf(readFileSync(path.join(root, file), "utf8"));
  expect(lines.length).toBeGreaterThan(8);
  for (const { command, answer } of lines) {
    const said = await run(withPorts(command));
    expect(said.trimEnd(), command).toMatch(patternOf(withPorts(answer)));
  }
});

/** The READMEs name the default ports; this installation has others. */
function withPorts(line: string): string {
  const { env } = here;
  return line
    .replaceAll(samples, `${here.data}/`)
    .replaceAll(".entrance/", `${here.data}/`)
    .replaceAll(":1080", `:${env["ENTRANCE_NODE_HTTP_PORT"]}`)
    .replaceAll(":10443", `:${env["ENTRANCE_NODE_HTTPS_PORT"]}`)
    .replaceAll(":10090", `:${tcpPort}`)
    .replaceAll(":10003", `:${env["ENTRANCE_NODE_HEALTH_PORT"]}`)
    .replaceAll("127.0.0.1:8787", env["ENTRANCE_LISTEN"] ?? "");
}

async function run(command: string): Promise<string> {
  const quiet = command.replaceAll(/^curl /g, "curl --silent ");
  const child = spawn("sh", ["-c", quiet], { cwd: root, env: { ...process.env, ...here.env } });
  const [said] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return said;
}
