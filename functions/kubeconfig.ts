/** A kubeconfig file, as kubectl has it: which API, whom to trust, and who we are. For local use. */
import { readFileSync } from "node:fs";
import path from "node:path";
import * as v from "valibot";
import { parse } from "yaml";
import { parseWith, told } from "../shared/model/parse.ts";
import { parseToken } from "./kube-config.ts";
import type { KubeFiles } from "./kube-files.ts";
import { namesFile } from "./named-file.ts";
import type { Pem } from "./pem.ts";
import { failSetting } from "./setting.ts";

const text = v.optional(v.string(told.text));
const Cluster = v.object(
  {
    server: v.string(told.text),
    "tls-server-name": text,
    "certificate-authority": text,
    "certificate-authority-data": text,
    "insecure-skip-tls-verify": v.optional(v.boolean(told.boolean), false),
  },
  told.object,
);
const User = v.object(
  {
    token: text,
    tokenFile: text,
    "client-certificate": text,
    "client-certificate-data": text,
    "client-key": text,
    "client-key-data": text,
    username: text,
    exec: v.optional(v.unknown()),
    "auth-provider": v.optional(v.unknown()),
  },
  told.object,
);
const Context = v.object({ cluster: v.string(told.text), user: text }, told.object);
const name = v.string(told.text);
/** No reason quotes anything: there are keys and tokens in it, and what is named may be a file of one. */
const File = v.object(
  {
    "current-context": text,
    contexts: v.optional(v.array(v.object({ name, context: Context }, told.object), told.list), []),
    clusters: v.optional(v.array(v.object({ name, cluster: Cluster }, told.object), told.list), []),
    users: v.optional(v.array(v.object({ name, user: User }, told.object), told.list), []),
  },
  told.object,
);

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
    return fail(namesFile(file, "is not there or is no YAML"));
  }
}

function fail(sentence: string): never {
  return failSetting("ENTRANCE_KUBECONFIG", sentence);
}
