/** Secrets of `npm run apply`: as a real server keeps and tells them, in a file that only its owner reads. */
import { chmodSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { Cluster } from "../../infra/local/cluster.ts";
import { ClusterStore } from "../../infra/local/cluster-store.ts";
import { type Manifest, parseManifests } from "../../infra/local/manifest.ts";

function secret(fields: string): Manifest {
  const parsed = parseManifests(`{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: shop}, ${fields}}`);
  const [manifest] = parsed.ok ? parsed.manifests : [];
  if (manifest === undefined) throw new Error("no object");
  return manifest;
}

function told() {
  const reviews: { request: { object: Record<string, unknown> } }[] = [];
  const audits: string[] = [];
  const webhooks = {
    review: async (body: object) => {
      reviews.push(body as (typeof reviews)[number]);
      return { allowed: true, message: "", warnings: [] };
    },
    audit: async (body: object) => {
      audits.push(JSON.stringify(body));
    },
  };
  return { reviews, audits, webhooks };
}

test("stringData becomes data, where it wins; a review has it, and no audit event", async () => {
  const { reviews, audits, webhooks } = told();
  const cluster = new Cluster(new ClusterStore(":memory:"), webhooks);
  const encoded = Buffer.from("plain text").toString("base64");
  await cluster.apply(secret(`data: {a: Zmlyc3Q=, b: Zmlyc3Q=}, stringData: {b: plain text}`));
  expect(reviews[0]?.request.object).toMatchObject({ type: "Opaque", data: { a: "Zmlyc3Q=", b: encoded } });
  expect(reviews[0]?.request.object).not.toHaveProperty("stringData");

  expect(await cluster.apply(secret(`type: Opaque, data: {a: Zmlyc3Q=, b: ${encoded}}`))).toMatchObject({
    result: "unchanged",
  });
  await cluster.delete(secret("type: Opaque"));
  expect(audits).toHaveLength(3);
  for (const audit of audits) {
    expect(audit).toContain('"level":"Metadata"');
    expect(audit).not.toMatch(/Zmlyc3Q=|plain text/);
    expect(audit).not.toContain(encoded);
  }
});

test("its file is for nobody else, also one that an earlier version left readable", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "entrance-cluster-"));
  try {
    const file = path.join(folder, "cluster.db");
    for (let start = 0; start < 2; start += 1) {
      new ClusterStore(file).close();
      expect(statSync(file).mode & 0o777).toBe(0o600);
      chmodSync(file, 0o644);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
