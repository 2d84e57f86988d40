/** What a setting has where a file's name is expected: shown where it plainly is a path, and nowhere else. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type Environment, readConfig } from "../../functions/config.ts";
import { openKubeAccess } from "../../functions/kube-files.ts";
import { namesFile } from "../../functions/named-file.ts";
import { trustNodeAuthorities } from "../../functions/node-authorities.ts";
import { Serving } from "../../functions/serving/serving.ts";
import { openSharedStore } from "../../functions/shared-store.ts";
import { readSettings } from "../../infra/local/settings.ts";
import { namesFile as namesFileOfNode } from "../../infra/openresty/prepare/named-file.ts";
import { prepareNode } from "../../infra/openresty/prepare.ts";
import { readNodeSettings } from "../../infra/openresty/settings.ts";

const folder = mkdtempSync(path.join(tmpdir(), "entrance-setting-file-"));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const key = execFileSync("openssl", ["genpkey", "-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"], {
  encoding: "utf8",
});
const values: Readonly<Record<string, string>> = {
  "PEM text": key,
  "PEM text on one line": key.replaceAll("\n", "\\n"),
  "a token": "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJl",
  "base64 that begins like a path": "/9j4AAQSkZJRgABAQEAYABgAAD/2wBDAAgG",
  "hexadecimal digits": "3f1c0a9be7d24c55a0d13f1c0a9be7d24c55a0d1",
  "two lines": "/run/secrets/one\n/run/secrets/two",
};

const etcd = { ENTRANCE_STORE: "etcd", ENTRANCE_ETCD_ENDPOINTS: "http://127.0.0.1:2379" };
const cluster = { ENTRANCE_KUBE_API: "https://127.0.0.1:6443" };

async function openStore(settings: Environment): Promise<void> {
  const { store } = readConfig({ ...etcd, ...settings });
  if (store.type !== "embedded") await (await openSharedStore(store)).close();
}

async function openApi(settings: Environment): Promise<void> {
  const { kubernetes } = readConfig({ ...cluster, ...settings });
  if (kubernetes !== undefined) openKubeAccess(kubernetes);
}

const serve = async (settings: Environment) => new Serving(readConfig(settings), undefined).first();

async function setUp(settings: Readonly<Record<string, string>>): Promise<void> {
  const required = { ENTRANCE_NODE_KEY: "a-key-of-the-tests", ENTRANCE_NODE_DIRECTORY: folder };
  prepareNode(readNodeSettings({ ...required, ENTRANCE_NODE_ADMIN_BIND: "0.0.0.0", ...settings }));
}

/** This file is there, and is no PEM. */
const other = import.meta.filename;

const uses: Readonly<Record<string, (value: string) => Promise<unknown>>> = {
  ENTRANCE_TLS_CERT: (value) => serve({ ENTRANCE_TLS_CERT: value, ENTRANCE_TLS_KEY: other }),
  ENTRANCE_TLS_KEY: (value) => serve({ ENTRANCE_TLS_CERT: other, ENTRANCE_TLS_KEY: value }),
  ENTRANCE_NODE_CA: async (value) => trustNodeAuthorities({ file: value }),
  ENTRANCE_KUBE_TOKEN_FILE: (value) => openApi({ ENTRANCE_KUBE_TOKEN_FILE: value }),
  ENTRANCE_KUBE_CERT: (value) => openApi({ ENTRANCE_KUBE_CERT: value, ENTRANCE_KUBE_KEY: value }),
  ENTRANCE_KUBECONFIG: (value) => openApi({ ENTRANCE_KUBE_API: "", ENTRANCE_KUBECONFIG: value }),
  ENTRANCE_ETCD_CA: (value) => openStore({ ENTRANCE_ETCD_CA: value }),
  ENTRANCE_ETCD_CERT: (value) => openStore({ ENTRANCE_ETCD_CERT: value, ENTRANCE_ETCD_KEY: value }),
  ENTRANCE_NODE_KEY_FILE: (value) => setUp({ ENTRANCE_NODE_KEY_FILE: value }),
  ENTRANCE_NODE_ADMIN_CERT: (value) => setUp({ ENTRANCE_NODE_ADMIN_CERT: value, ENTRANCE_NODE_ADMIN_KEY: value }),
  ENTRANCE_NODE_ADMIN_KEY: (value) => setUp({ ENTRANCE_NODE_ADMIN_CERT: other, ENTRANCE_NODE_ADMIN_KEY: value }),
  "ENTRANCE_TLS_KEY of npm start": async (value) => readSettings({ ENTRANCE_TLS_CERT: other, ENTRANCE_TLS_KEY: value }),
};

async function saidBy(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error("nothing was thrown");
}

describe.each(Object.entries(uses))("%s", (name, use) => {
  const [setting = ""] = name.split(" ");

  test.each(Object.entries(values))("%s is printed nowhere", async (_, value) => {
    const said = await saidBy(() => use(value));
    expect(said).toContain(setting);
    for (const part of value.split(/[\s.]+/).filter((each) => each !== "")) expect(said).not.toContain(part);
    if (value.includes("BEGIN")) expect(said).toMatch(/: it takes the path of a file, not the text$/);
  });

  test("a path is told", async () => {
    const file = "/run/secrets/entrance/none.pem";
    expect(await saidBy(() => use(file))).toMatch(new RegExp(`${setting}\\)? names ${file}, which is not there`));
  });
});

test.each<[string, string, RegExp]>([
  ["a token's file", "hidden", /is no kubeconfig: must be an object$/],
  ["a key's file", "-----BEGIN hidden KEY-----\nhidden\n", /is no kubeconfig: must be an object$/],
  ["a user who is a text", "users: [{name: u, user: hidden}]", /: users\.0\.user: must be an object$/],
  ["a token that is a list", "users: [{name: u, user: {token: [hidden]}}]", /: users\.0\.user\.token: must be a text$/],
  [
    "a cluster without a server",
    "clusters: [{name: c, cluster: {hidden: a}}]",
    /: clusters\.0\.cluster\.server: is missing$/,
  ],
  ["users that are none", "users: hidden", /: users: must be a list$/],
  ["a flag", "clusters: [{name: c, cluster: {server: s, insecure-skip-tls-verify: hidden}}]", /must be true or false$/],
])("%s for a kubeconfig is refused, and nothing of it is printed", async (_, text, reason) => {
  const file = path.join(folder, "kubeconfig");
  writeFileSync(file, text);
  const said = await saidBy(() => openApi({ ENTRANCE_KUBE_API: "", ENTRANCE_KUBECONFIG: file }));
  expect(said).toMatch(reason);
  expect(said).not.toContain("hidden");
});

test.each([namesFile, namesFileOfNode])("what a path is: %o", (tell) => {
  const shown = [
    "/run/secrets/node-key",
    "/etc/entrance/tls.key",
    "./tls.key",
    "../certs/CA.pem",
    "/Users/me/tls.key",
    "/a",
  ];
  for (const value of shown) expect(tell(value, "is not there")).toBe(`names ${value}, which is not there`);
  const hidden = [
    ...Object.values(values),
    "tls.key",
    "/a b",
    "/run/secrets/é",
    `/${"a".repeat(255)}`,
    "~/tls.key",
    "",
  ];
  for (const value of hidden)
    expect(tell(value, "is not there")).toMatch(/^names a file that is not there(: it takes|$)/);
});
