/** A kubeconfig file, as kubectl has it: which API, whom to trust, and who we are. For local use. */
import { readFileSync } from "node:fs";
import path from "node:path";
import * as v from "valibot";
import { parse } from "yaml";
import { parseWith } from "../shared/model/parse.ts";
import { parseToken } from "./kube-config.ts";
import type { KubeFiles } from "./kube-files.ts";
import type { Pem } from "./pem.ts";
import { failSetting } from "./setting.ts";

const text = v.optional(v.string());
const Cluster = v.object({
  server: v.string(),
  "tls-server-name": text,
  "certificate-authority": text,
  "certificate-authority-data": text,
  "insecure-skip-tls-verify": v.optional(v.boolean(), false),
});
const User = v.object({
  token: text,
  tokenFile: text,
  "client-certificate": text,
  "client-certificate-data": text,
  "client-key": text,
  "client-key-data": text,
  username: text,
  exec: v.optional(v.unknown()),
  "auth-provider": v.optional(v.unknown()),
});
const File = v.object({
  "current-context": text,
  contexts: v.optional(
    v.array(v.object({ name: v.string(), context: v.object({ cluster: v.string(), user: text }) })),
    [],
  ),
  clusters: v.optional(v.array(v.object({ name: v.string(), cluster: Cluster })), []),
  users: v.optional(v.array(v.object({ name: v.string(), user: User })), []),
});

/** Throws `misconfigured`. */
export function readKubeconfig(file: string, wanted: string | undefined): KubeFiles {
  const parsed = parseWith(File, load(file));
  if (!parsed.ok) return fail(`${file} is no kubeconfig: ${parsed.reason}`);
  const { contexts, clusters, users } = parsed.value;
  const name = wanted ?? parsed.value["current-context"] ?? "";
  const context = contexts.find((each) => each.name === name)?.context;
  if (context === undefined)
    return fail(`${file} has no context ${name}: set ENTRANCE_KUBE_CONTEXT to one of its contexts`);
  const cluster = clusters.find((each) => each.name === context.cluster)?.cluster;
  if (cluster === undefined) return fail(`${file} has no cluster ${context.cluster}`);
  const user = users.find((each) => each.name === context.user)?.user;
  if (cluster["insecure-skip-tls-verify"]) {
    return fail(`${file} has insecure-skip-tls-verify: name the cluster's certificate-authority instead`);
  }
  if (user?.exec !== undefined || user?.["auth-provider"] !== undefined || user?.username !== undefined) {
    return fail(
      `${file}: user ${context.user} signs in by a program or a password, which Entrance does not: give it the token of a service account (kubectl create token)`,
    );
  }
  const pem = (data: string | undefined, name: string | undefined): Pem | undefined => {
    if (data !== undefined) return { text: Buffer.from(data, "base64").toString("utf8") };
    return name === undefined ? undefined : { file: path.resolve(path.dirname(file), name) };
  };
  const certificate = pem(user?.["client-certificate-data"], user?.["client-certificate"]);
  const key = pem(user?.["client-key-data"], user?.["client-key"]);
  const tokenFile = user?.tokenFile;
  return {
    url: cluster.server.replace(/\/+$/, ""),
    serverName: cluster["tls-server-name"],
    ca: pem(cluster["certificate-authority-data"], cluster["certificate-authority"]),
    client: certificate === undefined || key === undefined ? undefined : { certificate, key },
    token: user?.token === undefined ? undefined : parseToken(user.token),
    tokenFile: tokenFile === undefined ? undefined : path.resolve(path.dirname(file), tokenFile),
  };
}

function load(file: string): unknown {
  try {
    return parse(readFileSync(file, "utf8"));
  } catch {
    return fail(`names ${file}, which is not there or is no YAML`);
  }
}

function fail(sentence: string): never {
  return failSetting("ENTRANCE_KUBECONFIG", sentence);
}
