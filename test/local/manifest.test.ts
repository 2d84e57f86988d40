/** YAML from people: several documents, Lists, and faults that say where they are. */
import { expect, test } from "vitest";
import { parseManifests } from "../../infra/local/manifest.ts";

function names(text: string): unknown {
  const parsed = parseManifests(text);
  return parsed.ok ? parsed.manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`) : parsed.reason;
}

const service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n";

test("documents and Lists are taken apart, in order", () => {
  const list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n";
  expect(names(`${list}---\n${service}---\n# nothing here\n---\n`)).toEqual(["Namespace shop", "Service web"]);
  expect(names("")).toEqual([]);
});

test.each([
  ["a: [", "document 1 is not YAML"],
  [`${service}---\na: 1\na: 2\n`, "document 2 is not YAML: Map keys must be unique"],
  ["just text", "document 1 is no Kubernetes object"],
  ["kind: Service\nmetadata: {name: web}", "apiVersion is missing"],
  ["apiVersion: v1\nkind: Service\nmetadata: {}", "metadata.name is missing"],
  ["apiVersion: v1\nkind: List\nitems: [{kind: Service}]", "document 1, item 1 is no Kubernetes object"],
])("a fault is placed: %j", (text, reason) => {
  expect(names(text)).toContain(reason);
});

test("what is too large is refused before it is read", () => {
  expect(names("#".repeat(9_000_000))).toBe("has more than 8 MiB");
});
