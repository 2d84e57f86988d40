/** The direction of imports (ARCHITECTURE.md, "Rooms"), read from the sources themselves. */
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const root = path.join(import.meta.dirname, "..");

/** Each room, and the rooms and packages it may import. A platform is what only runs in one place. */
const rooms: Record<string, { readonly rooms: readonly string[]; readonly packages: readonly string[] }> = {
  "shared/model": { rooms: [], packages: ["valibot", "@noble/hashes"] },
  "shared/observe": { rooms: ["shared/model"], packages: ["valibot"] },
  "shared/translate": { rooms: ["shared/model"], packages: ["valibot"] },
  "shared/store": { rooms: ["shared/model"], packages: ["valibot"] },
  "shared/plugins": { rooms: ["shared/model"], packages: ["valibot"] },
  "shared/sealing": { rooms: ["shared/model"], packages: ["@noble/hashes", "bcryptjs"] },
  "shared/kubernetes": { rooms: ["shared/model"], packages: ["valibot"] },
  "shared/reconcile": {
    rooms: [
      "shared/model",
      "shared/observe",
      "shared/translate",
      "shared/store",
      "shared/plugins",
      "shared/sealing",
      "shared/kubernetes",
    ],
    packages: ["valibot"],
  },
  "shared/operate": {
    rooms: ["shared/model", "shared/store", "shared/reconcile"],
    packages: ["valibot", "@noble/hashes"],
  },
  functions: {
    rooms: [
      "shared/operate",
      "shared/model",
      "shared/observe",
      "shared/translate",
      "shared/store",
      "shared/plugins",
      "shared/sealing",
      "shared/reconcile",
      "shared/kubernetes",
    ],
    packages: ["valibot", "hono", "@noble/hashes"],
  },
  infra: { rooms: [], packages: ["valibot", "smol-toml", "yaml", "esbuild", "miniflare", "ws", "node:"] },
};

/** The only files that know their platform, and what they may import beyond their room. */
const platforms: Record<string, readonly string[]> = {
  "functions/worker.ts": ["cloudflare:workers"],
  "functions/node.ts": ["node:", "@hono/node-server"],
  "functions/ending.ts": ["@hono/node-server"],
  "functions/operator.ts": ["node:"],
  "functions/lines.ts": ["node:"],
  "functions/lambda.ts": ["node:", "@aws-sdk/client-lambda"],
  "functions/shared-store.ts": ["node:"],
  "functions/setting-file.ts": ["node:"],
  "functions/node-authorities.ts": ["node:"],
  "functions/known-caller.ts": ["node:"],
  "functions/kube-files.ts": ["node:", "undici"],
  "functions/serving/make.ts": ["@peculiar/x509", "reflect-metadata"],
  "functions/node-fetch.ts": ["undici"],
  "functions/serving/kept.ts": ["node:"],
  "functions/authorities.ts": ["node:"],
  "functions/pair.ts": ["node:"],
  "functions/kubeconfig.ts": ["node:", "yaml"],
  "shared/store/node-sqlite.ts": ["node:"],
  // Workerd has it, too.
  "shared/sealing/x509.ts": ["node:crypto"],
  "shared/store/etcd.ts": ["node:", "etcd3", "cockatiel"],
  "shared/store/dynamodb.ts": ["@aws-sdk/client-dynamodb"],
  "shared/store/dynamodb-item.ts": ["@aws-sdk/client-dynamodb"],
};

/** Stores and plugins are met through their port; which ones they are, only these know. */
const assemblers = new Set([
  "functions/assemble.ts",
  "functions/worker.ts",
  "functions/node.ts",
  "functions/lambda.ts",
  "functions/operator.ts",
  "functions/shared-store.ts",
]);

const ports: Record<string, readonly string[]> = {
  "shared/store": ["shared/store/port.ts", "shared/store/limits.ts", "shared/store/entries.ts", "shared/store/call.ts"],
  "shared/plugins": ["shared/plugins/port.ts"],
  "shared/kubernetes": [
    "shared/kubernetes/port.ts",
    "shared/kubernetes/access.ts",
    "shared/kubernetes/objects.ts",
    "shared/kubernetes/status-port.ts",
  ],
};

const sources = globSync(["shared/**/*.ts", "functions/**/*.ts", "infra/**/*.ts", "infra/**/*.mjs"], {
  cwd: root,
}).sort();

test("every source lies in a room", () => {
  expect(sources.length).toBeGreaterThan(50);
  expect(sources.filter((file) => roomOf(file) === undefined)).toEqual([]);
});

test("imports go one way, and only entries and drivers know a platform", () => {
  expect(sources.flatMap((file) => importsOf(file).flatMap((target) => faultOf(file, target)))).toEqual([]);
});

test("a forbidden import is found", () => {
  expect(faultOf("shared/model/pool.ts", "shared/store/port.ts")).toHaveLength(1);
  expect(faultOf("shared/reconcile/turn.ts", "shared/store/embedded.ts")).toHaveLength(1);
  expect(faultOf("functions/app.ts", "node:fs")).toHaveLength(1);
  expect(faultOf("infra/local/start.ts", "functions/config.ts")).toHaveLength(1);
  expect(faultOf("functions/app.ts", "test/harness/node.ts")).toHaveLength(1);
  expect(faultOf("functions/worker.ts", "cloudflare:workers")).toEqual([]);
});

function roomOf(file: string): string | undefined {
  return Object.keys(rooms).find((room) => file.startsWith(`${room}/`));
}

/** What a file imports: our own files as paths from the root, packages by their name. */
function importsOf(file: string): string[] {
  const text = readFileSync(path.join(root, file), "utf8");
  const found = text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([^"\n]+)"/g);
  return [...found].flatMap(([, name]) => {
    if (name === undefined) return [];
    return name.startsWith(".") ? [path.join(path.dirname(file), name)] : [name];
  });
}

function faultOf(file: string, target: string): string[] {
  const room = roomOf(file);
  const own = room === undefined ? undefined : rooms[room];
  if (own === undefined) return [`${file} lies in no room`];
  const fault = [`${file} may not import ${target}`];
  if (/\.(ts|mjs)$/.test(target) && !target.startsWith("node:")) {
    const other = roomOf(target);
    if (other === undefined) return fault;
    if (other === room) return [];
    if (!own.rooms.includes(other)) return fault;
    const port = ports[other];
    return port === undefined || port.includes(target) || assemblers.has(file) ? [] : fault;
  }
  const allowed = [...own.packages, ...(platforms[file] ?? [])];
  return allowed.some((name) => isPackage(target, name)) ? [] : fault;
}

function isPackage(target: string, name: string): boolean {
  return name.endsWith(":") ? target.startsWith(name) : target === name || target.startsWith(`${name}/`);
}
