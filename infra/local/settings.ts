/** The settings of `npm start` and `npm run apply`, from the environment; all of them have a default. */
import { accessSync, constants } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import * as v from "valibot";
import { namesFile } from "../openresty/prepare/named-file.ts";
import { defaultPorts } from "../openresty/prepare.ts";
import { readOperation } from "../openresty/settings.ts";
import { root } from "../wrangler.ts";
import { Told } from "./told.ts";

const Port = v.pipe(
  v.string(),
  v.regex(/^\d{1,5}$/, "must be a port from 1 to 65535"),
  v.transform(Number),
  v.minValue(1, "must be a port from 1 to 65535"),
  v.maxValue(65_535, "must be a port from 1 to 65535"),
);

const Listen = v.pipe(
  v.string(),
  v.regex(/^(\[[0-9a-fA-F:.]+\]|[^:\s]*):\d{1,5}$/, "must be ADDRESS:PORT, for example 127.0.0.1:8787"),
);

/** Names with commas between them. The node checks what they are. */
const List = v.pipe(
  v.optional(v.string(), ""),
  v.transform((text) =>
    text
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== ""),
  ),
);

const Environment = v.object({
  ENTRANCE_LISTEN: v.optional(Listen, "127.0.0.1:8787"),
  ENTRANCE_DATA: v.optional(v.string(), path.join(root, ".entrance")),
  ENTRANCE_TLS_CERT: v.optional(v.string()),
  ENTRANCE_TLS_KEY: v.optional(v.string()),
  ENTRANCE_WEBHOOK_TOKEN: v.optional(v.string()),
  ENTRANCE_OPERATOR_TOKEN: v.optional(v.string()),
  ENTRANCE_NODE_HTTP_PORT: v.optional(Port, String(defaultPorts.http)),
  ENTRANCE_NODE_HTTPS_PORT: v.optional(Port, String(defaultPorts.https)),
  ENTRANCE_NODE_ADMIN_PORT: v.optional(Port, String(defaultPorts.admin)),
  ENTRANCE_NODE_HEALTH_PORT: v.optional(Port, String(defaultPorts.health)),
  ENTRANCE_NODE_WAITING_PORT: v.optional(Port, String(defaultPorts.waiting)),
  ENTRANCE_NODE_WORKERS: v.optional(
    v.pipe(v.string(), v.regex(/^[1-9]\d?$/, "must be a number from 1 to 99"), v.transform(Number)),
    String(Math.min(availableParallelism(), 4)),
  ),
  ENTRANCE_NODE_PROXY_PROTOCOL: List,
  ENTRANCE_NODE_TRUSTED_PROXIES: List,
  ENTRANCE_PUBLIC_HTTPS_PORT: v.optional(Port),
  ENTRANCE_SAMPLE_SHOP_PORT: v.optional(Port, "10081"),
  ENTRANCE_SAMPLE_BLOG_PORT: v.optional(Port, "10082"),
});

type Name = keyof v.InferOutput<typeof Environment>;

export interface Settings {
  readonly data: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly loopback: boolean;
  readonly url: string;
  readonly tls: { readonly certificate: string; readonly key: string } | undefined;
  /** The first of the valid ones is sent. */
  readonly token: string | undefined;
  /** For /status. */
  readonly operatorToken: string | undefined;
  readonly node: {
    readonly http: number;
    readonly https: number;
    readonly admin: number;
    readonly health: number;
    readonly waiting: number;
    readonly workers: number;
  };
  /** Load balancers in front of the node: which listeners expect the PROXY protocol, and who is believed. */
  readonly front: { readonly proxyProtocol: readonly string[]; readonly trustedProxies: readonly string[] };
  /** Where clients find the node's HTTPS: in the Location of a redirect to it. */
  readonly publicHttpsPort: number;
  /** How the node records requests and how it ends. */
  readonly operation: ReturnType<typeof readOperation>;
  readonly samples: { readonly shop: number; readonly blog: number };
  /** Each port that is going to be opened, by the setting that changes it; the samples' only with them. */
  readonly ports: readonly {
    readonly setting: Name;
    readonly host: string;
    readonly port: number;
    readonly sample?: true;
  }[];
}

/** The settings, or a sentence that names the one to change. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const parsed = v.safeParse(Environment, environment);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new Told(`${v.getDotPath(issue) ?? "a setting"} ${issue.message}`);
  }
  const values = parsed.output;
  const colon = values.ENTRANCE_LISTEN.lastIndexOf(":");
  const host = values.ENTRANCE_LISTEN.slice(0, colon).replace(/^\[|\]$/g, "") || "0.0.0.0";
  const listen = { host, port: Number(values.ENTRANCE_LISTEN.slice(colon + 1)) };
  const tls = tlsOf(values.ENTRANCE_TLS_CERT, values.ENTRANCE_TLS_KEY);
  // Who listens everywhere is reached from here by loopback.
  const reached = { "0.0.0.0": "127.0.0.1", "::": "[::1]" }[host] ?? (host.includes(":") ? `[${host}]` : host);
  return {
    data: path.resolve(values.ENTRANCE_DATA),
    listen,
    loopback: host === "localhost" || host === "::1" || host.startsWith("127."),
    url: `${tls === undefined ? "http" : "https"}://${reached}:${listen.port}`,
    tls,
    token: values.ENTRANCE_WEBHOOK_TOKEN?.split(",")[0],
    operatorToken: (values.ENTRANCE_OPERATOR_TOKEN || values.ENTRANCE_WEBHOOK_TOKEN)?.split(",")[0],
    node: {
      http: values.ENTRANCE_NODE_HTTP_PORT,
      https: values.ENTRANCE_NODE_HTTPS_PORT,
      admin: values.ENTRANCE_NODE_ADMIN_PORT,
      health: values.ENTRANCE_NODE_HEALTH_PORT,
      waiting: values.ENTRANCE_NODE_WAITING_PORT,
      workers: values.ENTRANCE_NODE_WORKERS,
    },
    front: {
      proxyProtocol: values.ENTRANCE_NODE_PROXY_PROTOCOL,
      trustedProxies: values.ENTRANCE_NODE_TRUSTED_PROXIES,
    },
    publicHttpsPort: values.ENTRANCE_PUBLIC_HTTPS_PORT ?? values.ENTRANCE_NODE_HTTPS_PORT,
    operation: readOperation(environment),
    samples: { shop: values.ENTRANCE_SAMPLE_SHOP_PORT, blog: values.ENTRANCE_SAMPLE_BLOG_PORT },
    ports: [
      { setting: "ENTRANCE_LISTEN", ...listen },
      { setting: "ENTRANCE_NODE_HTTP_PORT", host: "0.0.0.0", port: values.ENTRANCE_NODE_HTTP_PORT },
      { setting: "ENTRANCE_NODE_HTTPS_PORT", host: "0.0.0.0", port: values.ENTRANCE_NODE_HTTPS_PORT },
      { setting: "ENTRANCE_NODE_ADMIN_PORT", host: "127.0.0.1", port: values.ENTRANCE_NODE_ADMIN_PORT },
      { setting: "ENTRANCE_NODE_HEALTH_PORT", host: "127.0.0.1", port: values.ENTRANCE_NODE_HEALTH_PORT },
      { setting: "ENTRANCE_NODE_WAITING_PORT", host: "127.0.0.1", port: values.ENTRANCE_NODE_WAITING_PORT },
      { setting: "ENTRANCE_SAMPLE_SHOP_PORT", host: "127.0.0.1", port: values.ENTRANCE_SAMPLE_SHOP_PORT, sample: true },
      { setting: "ENTRANCE_SAMPLE_BLOG_PORT", host: "127.0.0.1", port: values.ENTRANCE_SAMPLE_BLOG_PORT, sample: true },
    ],
  };
}

function tlsOf(certificate: string | undefined, key: string | undefined): Settings["tls"] {
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined) throw new Told("ENTRANCE_TLS_CERT must name a file when ENTRANCE_TLS_KEY does");
  if (key === undefined) throw new Told("ENTRANCE_TLS_KEY must name a file when ENTRANCE_TLS_CERT does");
  return { certificate: readable("ENTRANCE_TLS_CERT", certificate), key: readable("ENTRANCE_TLS_KEY", key) };
}

function readable(setting: Name, file: string): string {
  try {
    accessSync(file, constants.R_OK);
  } catch {
    throw new Told(`${setting} ${namesFile(file, "is not there or may not be read")}`);
  }
  return path.resolve(file);
}
