/** The settings of a node, from the environment: the same names for the image, systemd and `npm start`. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { namesFile } from "./prepare/named-file.ts";
import { NodeSetupError } from "./prepare/setup-error.ts";
import type { NodeOptions } from "./prepare.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

function text(environment: Environment, name: string): string | undefined {
  const value = environment[name];
  return value === undefined || value === "" ? undefined : value;
}

function number(environment: Environment, name: string, least: number, most: number): number | undefined {
  const value = text(environment, name);
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value) && Number(value) >= least && Number(value) <= most) return Number(value);
  throw new NodeSetupError(`${name} must be a whole number from ${least} to ${most}, not ${value}`);
}

function list(environment: Environment, name: string): readonly string[] | undefined {
  return text(environment, name)
    ?.split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function flag(environment: Environment, name: string): boolean | undefined {
  const value = text(environment, name);
  if (value === undefined || value === "on" || value === "off") return value === undefined ? undefined : value === "on";
  throw new NodeSetupError(`${name} must be on or off, not ${value}`);
}

/** Two settings that mean something together only. */
function both<T>(
  environment: Environment,
  [one, other]: readonly [string, string],
  make: (one: string, other: string) => T,
): T | undefined {
  const [first, second] = [text(environment, one), text(environment, other)];
  if (first !== undefined && second !== undefined) return make(first, second);
  if (first === undefined && second === undefined) return undefined;
  throw new NodeSetupError(
    `${first === undefined ? one : other} is needed beside ${first === undefined ? other : one}`,
  );
}

function keysOf(environment: Environment): readonly string[] {
  const file = text(environment, "ENTRANCE_NODE_KEY_FILE");
  if (file === undefined) {
    const keys = list(environment, "ENTRANCE_NODE_KEY");
    if (keys !== undefined) return keys;
    throw new NodeSetupError(
      "ENTRANCE_NODE_KEY is needed: one or two keys of the admin API, or a file of them in ENTRANCE_NODE_KEY_FILE",
    );
  }
  try {
    const keys = readFileSync(file, "utf8").split(/[\s,]+/);
    return keys.filter((key) => key !== "");
  } catch {
    throw new NodeSetupError(`ENTRANCE_NODE_KEY_FILE ${namesFile(file, "is not there or may not be read")}`);
  }
}

/** Leaves out what is undefined: its default counts. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** How requests are recorded and how a node ends: what `npm start` takes, too. */
export function readOperation(environment: Environment) {
  return given({
    accessLog: text(environment, "ENTRANCE_NODE_ACCESS_LOG"),
    metrics: flag(environment, "ENTRANCE_NODE_METRICS"),
    drainSeconds: number(environment, "ENTRANCE_NODE_DRAIN_SECONDS", 0, 3600),
    stopSeconds: number(environment, "ENTRANCE_NODE_STOP_SECONDS", 1, 86_400),
    v1: both(environment, ["ENTRANCE_NODE_V1_LISTEN", "ENTRANCE_NODE_V1_ALLOW"], (listen, allow) => ({
      listen,
      allow: allow.split(",").map((range) => range.trim()),
    })),
  });
}

const most = 65_535;

/** All of a node that runs by itself. Throws a sentence that names the setting to change. */
export function readNodeSettings(environment: Environment): NodeOptions {
  const port = (name: string, usual: number) => number(environment, name, 1, most) ?? usual;
  return {
    directory: text(environment, "ENTRANCE_NODE_DIRECTORY") ?? "/var/lib/entrance-node",
    ports: {
      http: port("ENTRANCE_NODE_HTTP_PORT", 80),
      https: port("ENTRANCE_NODE_HTTPS_PORT", 443),
      admin: port("ENTRANCE_NODE_ADMIN_PORT", 10_002),
      health: port("ENTRANCE_NODE_HEALTH_PORT", 10_003),
      waiting: port("ENTRANCE_NODE_WAITING_PORT", 10_004),
    },
    workers: number(environment, "ENTRANCE_NODE_WORKERS", 1, 256) ?? availableParallelism(),
    keys: keysOf(environment),
    bind: given({
      http: text(environment, "ENTRANCE_NODE_BIND"),
      https: text(environment, "ENTRANCE_NODE_BIND"),
      admin: text(environment, "ENTRANCE_NODE_ADMIN_BIND"),
      health: text(environment, "ENTRANCE_NODE_HEALTH_BIND"),
    }),
    ...given({
      memoryMiB: number(environment, "ENTRANCE_NODE_MEMORY_MIB", 1, 65_536),
      suffix: text(environment, "ENTRANCE_HTTP_SUFFIX"),
      publicHttpsPort: number(environment, "ENTRANCE_PUBLIC_HTTPS_PORT", 1, most),
      trustedProxies: list(environment, "ENTRANCE_NODE_TRUSTED_PROXIES"),
      proxyProtocol: list(environment, "ENTRANCE_NODE_PROXY_PROTOCOL"),
      authorities: text(environment, "ENTRANCE_NODE_BACKEND_CA"),
      adminTls: both(environment, ["ENTRANCE_NODE_ADMIN_CERT", "ENTRANCE_NODE_ADMIN_KEY"], (certificate, key) => ({
        certificate,
        key,
      })),
    }),
    ...readOperation(environment),
  };
}
