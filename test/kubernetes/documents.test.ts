/** The guides of infra/kubernetes in both languages: the same commands, and every link leads somewhere. */
import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../../infra/wrangler.ts";

const folder = path.join(root, "infra/kubernetes");

function textOf(file: string): string {
  return readFileSync(path.resolve(folder, file), "utf8");
}

function blocksOf(file: string): string[] {
  return [...textOf(file).matchAll(/^ *```[a-z]*\n.*?^ *```$/gms)].map(([block]) => block);
}

describe.each(["README", "worst-day"])("%s", (name) => {
  test("has the same commands in both languages", () => {
    const blocks = blocksOf(`${name}.md`);
    expect(blocks.length).toBeGreaterThan(4);
    expect(blocksOf(`${name}.zh-CN.md`)).toEqual(blocks);
  });

  test("has as many sections, entries and rows", () => {
    const shape = (text: string) => text.match(/^(?:#+|\||- ) ?/gm);
    expect(shape(textOf(`${name}.zh-CN.md`))).toEqual(shape(textOf(`${name}.md`)));
  });
});

test.each(globSync("*.md", { cwd: folder }))("%s: what it links to is there", (file) => {
  for (const [, target = "", anchor] of textOf(file).matchAll(/\]\(([^)#\s]*)(?:#([^)\s]+))?\)/g)) {
    if (target.startsWith("http")) continue;
    const found = target === "" ? file : target;
    expect(existsSync(path.resolve(folder, found)), `${file}: ${target}`).toBe(true);
    if (anchor === undefined) continue;
    const anchors = [...textOf(found).matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) => anchorOf(title));
    expect(anchors, `${file}: ${target}#${anchor}`).toContain(anchor);
  }
});

test("the chart is of this version", () => {
  const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { version: string };
  expect(textOf("Chart.yaml")).toContain(`\nversion: ${version}\nappVersion: ${version}\n`);
});

/** As GitHub makes them. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s-]/gu, "")
    .trim()
    .replaceAll(" ", "-");
}
