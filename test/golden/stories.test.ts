/** Every story, and what came of it when its golden file was last looked at. `npm run golden` writes them anew. */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { compactJson } from "./compact-json.ts";
import { parseStory } from "./story.ts";
import { newTeller } from "./teller.ts";

const folder = new URL(".", import.meta.url);
const names = globSync("*/story.yaml", { cwd: fileURLToPath(folder) })
  .map((path) => path.replace("/story.yaml", ""))
  .sort();

const hasIpv6 = Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === "::1"));

beforeAll(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterAll(() => {
  vi.useRealTimers();
});

test.for(names)("%s", async (name, { skip }) => {
  const story = parseStory(readFileSync(new URL(`${name}/story.yaml`, folder), "utf8"));
  if (!hasIpv6 && Object.values(story.backends).includes("::1")) skip("this machine has no IPv6");
  let now = Date.parse("2026-11-22T10:00:00Z");
  const pass = () => {
    now += 1_000;
    vi.setSystemTime(now);
  };
  pass();
  const teller = await newTeller(story, pass);
  try {
    const steps = [];
    for (const step of story.steps) steps.push(await teller.tell(step));
    const text = `${compactJson({ title: story.title, steps })}\n`;
    const golden = new URL(`${name}/golden.json`, folder);
    if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(golden, text);
    expect(text).toBe(readFileSync(golden, "utf8"));
  } finally {
    await teller.end();
  }
});
