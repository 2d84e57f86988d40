// Values as Entrance sends them, short to write in tests.
import { X509Certificate } from "node:crypto";
import type { Pair } from "../harness/certificate.ts";
import type { Change } from "../harness/node.ts";

export interface Member {
  readonly address?: string;
  readonly port: number;
  readonly weight?: number;
  readonly state?: "active" | "draining" | "disabled";
  readonly ready?: boolean;
}

export function pool(name: string, more: Readonly<Record<string, unknown>> = {}): Change {
  return { key: `Pool/shop/${name}/80`, value: { protocol: "http", balance: "round-robin", ...more } };
}

export function slice(name: string, members: readonly Member[], list = "a"): Change {
  const value = {
    members: members.map((member) => ({ address: "127.0.0.1", weight: 1, state: "active", ready: true, ...member })),
  };
  return { key: `Node/shop/${name}/80/${name}-${list}`, value };
}

export interface RuleParts {
  readonly name?: string;
  readonly namespace?: string;
  readonly kind?: string;
  readonly number?: number;
  readonly created?: string;
  readonly path?: string;
  readonly type?: string;
  readonly method?: string;
  readonly headers?: readonly { name: string; value: string; type?: string }[];
  readonly query?: readonly { name: string; value: string; type?: string }[];
  readonly pools?: readonly { pool: string; weight: number; filters?: readonly object[] }[];
  readonly more?: Readonly<Record<string, unknown>>;
}

export function rule(domain: string, target: string, parts: RuleParts = {}): Change {
  const { name = "web", namespace = "shop", kind = "Ingress", number = 0, created = "2026-11-22T10:21:37Z" } = parts;
  const { path = "/", type = "prefix", method, headers, query } = parts;
  const value = {
    name: `${name}-${number}`,
    domain,
    scheme: "http",
    owner: { kind, namespace, name, created },
    tenant: namespace,
    listeners: [],
    matches: {
      path: { type, value: path },
      ...(method === undefined ? {} : { method }),
      ...(headers === undefined ? {} : { headers }),
      ...(query === undefined ? {} : { query }),
    },
    filters: [],
    pools: parts.pools ?? [{ pool: `Pool/shop/${target}/80`, weight: 1 }],
    ...parts.more,
  };
  return { key: `Rule/${domain}/${kind}/${namespace}/${name}/${number}`, value };
}

export function certificate(name: string, { chain, key }: Pair, more: Readonly<Record<string, unknown>> = {}): Change {
  const notAfter = new Date(new X509Certificate(chain).validTo).toISOString();
  return { key: `Certificate/shop/${name}`, value: { chain, key, names: [], notAfter, ...more } };
}

/** A host's certificates, by their names. */
export function domain(name: string, certificates: readonly string[]): Change {
  const keys = certificates.map((each) => `Certificate/shop/${each}`);
  return { key: `Domain/${name}`, value: { tenant: "shop", certificates: keys } };
}

/** A whole application: pool, members and a rule for all its paths. */
export function application(domain: string, name: string, members: readonly Member[]): Change[] {
  return [pool(name), slice(name, members), rule(domain, name, { name })];
}
