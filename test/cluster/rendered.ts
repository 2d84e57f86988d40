/** Objects of the manifests, without a cluster: as kustomize and as helm write them. */
import { mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { root } from "../../infra/wrangler.ts";
import type { KubeObject } from "./api.ts";
import type { Facts } from "./field.ts";
import { helm, kubectl, type Said } from "./kubectl.ts";

export const chart = path.join(root, "infra/kubernetes");

export type Values = Readonly<Record<string, unknown>>;

/** By kind, namespace and name. */
export type Objects = ReadonlyMap<string, KubeObject>;

/** Those of `resources`, folders below infra/kubernetes, with such components. */
export async function byKustomize(
  facts: Facts,
  resources: readonly string[],
  components: readonly string[] = [],
): Promise<Objects> {
  const all = new Map<string, KubeObject>();
  for (const resource of resources) {
    const own = components.filter((component) => path.dirname(component) === resource);
    const folder = mkdtempSync(path.join(tmpdir(), "kustomize-"));
    symlinkSync(chart, path.join(folder, "kubernetes"));
    const within = (each: string) => path.join("kubernetes", each);
    const kustomization = { resources: [within(resource)], components: own.map(within) };
    writeFileSync(path.join(folder, "kustomization.yaml"), stringify(kustomization));
    const { code, out, err } = await kubectl(facts, ["kustomize", folder]);
    if (code !== 0) throw new Error(`kubectl kustomize ${resource}: ${err}`);
    for (const [key, object] of objectsOf(out)) all.set(key, object);
  }
  return all;
}

export async function byHelm(facts: Facts, values: Values = {}, namespace = "entrance"): Promise<Objects> {
  const { code, out, err } = await template(facts, values, namespace);
  if (code !== 0) throw new Error(`helm template: ${err}`);
  return objectsOf(out);
}

export function template(facts: Facts, values: Values, namespace = "entrance"): Promise<Said> {
  return helm(facts, ["template", "entrance", chart, "--namespace", namespace, "--values", valuesFile(values)]);
}

/** A file that has them. */
export function valuesFile(values: Values): string {
  const folder = mkdtempSync(path.join(tmpdir(), "values-"));
  const file = path.join(folder, "values.yaml");
  writeFileSync(file, stringify(values));
  return file;
}

function objectsOf(yaml: string): Objects {
  const objects = parseAllDocuments(yaml).map((document) => document.toJS() as KubeObject | null);
  return new Map(objects.flatMap((object) => (object === null ? [] : [[keyOf(object), object] as const])));
}

function keyOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name}`;
}
