/** Nothing secret lies in a golden file, nor a private key anywhere among what is committed for tests. */
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parseStory } from "./story.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));
const read = (pattern: string) => globSync(pattern, { cwd: folder }).map((file) => readFileSync(folder + file, "utf8"));

test("no key, no hash of a password, nothing sealed and no password", () => {
  const passwords = read("*/story.yaml").flatMap((text) =>
    parseStory(text).steps.flatMap(({ requests }) =>
      requests.flatMap(({ headers: { authorization = "" } }) => {
        const credentials = authorization.replace(/^Basic /, "");
        return credentials === ""
          ? []
          : [credentials, Buffer.from(credentials, "base64").toString().split(":")[1] ?? ""];
      }),
    ),
  );
  expect(passwords.length).toBeGreaterThan(4);
  const golden = read("**/*.json");
  expect(golden.length).toBeGreaterThan(20);
  for (const text of golden) {
    expect(text).not.toMatch(/PRIVATE KEY|\$2[aby]\$\d\d\$[./\w]{53}|\$(apr1|5|6)\$[./\w]+\$[./\w]{20}|"sealed":/);
    for (const password of passwords) if (password !== "wrong") expect(text.includes(password)).toBe(false);
  }
});

test("stories have no private key: those are made when they are told", () => {
  for (const text of read("*/story.yaml")) expect(text).not.toMatch(/PRIVATE KEY|tls\.key/);
});
