// Lays out the folder that a node runs in, and says which command runs it. All that becomes configuration here is
// numbers, addresses and file names that were checked; names, paths and keys of users are data that Lua reads.
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type AdminTls, adminTlsConf, checkV1, type V1Listener, v1Conf } from "./prepare/admin.ts";
import { backendLocations, backendUpstreams, findAuthorities } from "./prepare/backend-locations.ts";
import { address, checkKeys, checkPath, checkSuffix, integer, isLoopback } from "./prepare/checked.ts";
import { socketFolder, writeFirstGeneration } from "./prepare/generated.ts";
import { findInstallation } from "./prepare/installation.ts";
import { l4Settings } from "./prepare/l4.ts";
import { checkAccessLog, type Recorded, recordConf, requestIdConf, sampleConf } from "./prepare/log.ts";
import { connectionLimit, userLine } from "./prepare/process.ts";
import { richLocations } from "./prepare/rich-locations.ts";
import { ticketsOf } from "./prepare/tickets.ts";
import { believing, checkTrust, fastUnlessTold, proxyProtocolOf, trustedConf } from "./prepare/trusted.ts";

export interface NodePorts {
  readonly http: number;
  readonly https: number;
  readonly admin: number;
  readonly health: number;
  readonly waiting: number;
}

export interface NodeOptions {
  /** The folder to run in; its state/ survives, all else in it is written anew. */
  readonly directory: string;
  readonly ports: NodePorts;
  /** Addresses that the listeners bind. Data: all; the others: loopback. */
  readonly bind?: {
    readonly http?: string;
    readonly https?: string;
    readonly admin?: string;
    readonly health?: string;
  };
  readonly workers: number;
  /** One or two keys of the admin API. */
  readonly keys: readonly string[];
  /** The port that clients find https at, where it is not 443: in the Location of a redirect. */
  readonly publicHttpsPort?: number;
  /** Listeners that expect the PROXY protocol: http, https, tcp (all ports of VirtualServices). */
  readonly proxyProtocol?: readonly string[];
  /** Addresses and ranges of load balancers in front, which are believed when they tell of a client. */
  readonly trustedProxies?: readonly string[];
  /** nginx's Lua for connections, where it does not lie beside the other modules. */
  readonly streamLuaModule?: string;
  /** HTTP_SUFFIX_URL of an existing Rainbond. */
  readonly suffix?: string;
  /** Who signs for backends, where their pool names nobody: a file of PEM certificates. Default: the system's. */
  readonly authorities?: string;
  /** What is logged of requests: `on` (the default), `off`, or a part of them such as `0.01`. */
  readonly accessLog?: string;
  /** The admin API's certificate and key; needed where it is bound to anything but loopback. */
  readonly adminTls?: AdminTls;
  /** A listener for an existing Rainbond, which has no key. */
  readonly v1?: V1Listener;
  /** For run.sh: how long requests are still taken once /ready says no, and how long those that were begun may last. */
  readonly drainSeconds?: number;
  readonly stopSeconds?: number;
  /** Whether requests are counted, for GET /metrics. Default: true. */
  readonly metrics?: boolean;
  /** Size of the dictionary that holds the state: twice what the largest state takes. */
  readonly memoryMiB?: number;
}

export interface NodeCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** The same, ended with care: run.sh. */
  readonly launcher: { readonly command: string; readonly args: readonly string[] };
  readonly directory: string;
  readonly stateDirectory: string;
}

const here = dirname(fileURLToPath(import.meta.url));
const VERSION = "0.1.0";
const PORTS = { http: 1080, https: 10443, admin: 10002, health: 10003, waiting: 10004 } as const satisfies NodePorts;

/** What a listener has beside its address. (`http2` here is understood by every nginx, `http2 on` from 1.25.1.) */
const OF_LISTENER: Readonly<Record<string, string>> = { http: " backlog=4096", https: " ssl http2 backlog=4096" };

export const defaultPorts: NodePorts = PORTS;

function makeFolder(path: string, mode: number, owner: { uid: number; gid: number } | undefined): void {
  const isNew = !existsSync(path);
  mkdirSync(path, { recursive: true, mode });
  chmodSync(path, mode);
  if (isNew && owner !== undefined && process.getuid?.() === 0) chownSync(path, owner.uid, owner.gid);
}

/** Checks everything, writes the run folder, and gives the command that runs the node (in a group of its own, please). */
export function prepareNode(options: NodeOptions): NodeCommand {
  const directory = checkPath("the node's folder", options.directory);
  const { http, https, admin, health, waiting } = options.ports;
  const adminAddress = options.bind?.admin ?? "127.0.0.1";
  const healthAddress = options.bind?.health ?? "127.0.0.1";
  const listeners = {
    http: [address("bind.http", options.bind?.http ?? "0.0.0.0"), integer("ports.http", http, 1, 65_535)],
    https: [address("bind.https", options.bind?.https ?? "0.0.0.0"), integer("ports.https", https, 1, 65_535)],
    admin: [address("bind.admin", adminAddress), integer("ports.admin", admin, 1, 65_535)],
    health: [address("bind.health", healthAddress), integer("ports.health", health, 1, 65_535)],
    waiting: ["127.0.0.1", integer("ports.waiting", waiting, 1, 65_535)],
  } as const;
  const workers = integer("workers", options.workers, 1, 256);
  const memoryMiB = integer("memoryMiB", options.memoryMiB ?? 256, 1, 65_536);
  const suffix = checkSuffix(options.suffix ?? "");
  const publicHttpsPort = integer("publicHttpsPort", options.publicHttpsPort ?? 443, 1, 65_535);
  const authorities =
    options.authorities === undefined
      ? findAuthorities()
      : checkPath("who signs for members (ENTRANCE_NODE_BACKEND_CA)", options.authorities);
  const trust = checkTrust(options.trustedProxies ?? [], options.proxyProtocol ?? []);
  const accessLog = checkAccessLog(options.accessLog ?? "on");
  const recorded: Recorded = { logs: accessLog !== "off", counts: options.metrics ?? true };
  const adminTls = adminTlsConf(adminAddress, options.adminTls);
  const v1 = options.v1 === undefined ? undefined : checkV1(options.v1);
  const drainSeconds = integer("drainSeconds", options.drainSeconds ?? 0, 0, 3600);
  const stopSeconds = integer("stopSeconds", options.stopSeconds ?? 30, 1, 86_400);
  checkKeys(options.keys);
  const installation = findInstallation(
    options.streamLuaModule && checkPath("nginx's Lua for connections", options.streamLuaModule),
  );

  mkdirSync(directory, { recursive: true });
  const owner = statSync(directory);
  const stateDirectory = join(directory, "state");
  makeFolder(stateDirectory, 0o700, owner);
  makeFolder(join(directory, "logs"), 0o755, owner);
  makeFolder(join(directory, "temp"), 0o700, statSync(stateDirectory));
  rmSync(join(directory, "conf"), { recursive: true, force: true });
  rmSync(join(directory, "draining"), { force: true });
  mkdirSync(join(directory, "conf/node/modules"), { recursive: true });

  const connections = connectionLimit();
  const write = (name: string, text: string | Buffer, mode = 0o644) => {
    writeFileSync(join(directory, "conf", name), text, { mode });
  };
  for (const name of [
    "nginx.conf",
    "routes.conf",
    "fast.conf",
    "v1.conf",
    "tls.conf",
    "forwarded.conf",
    "rich.conf",
    "backend.conf",
    "backend-http.conf",
    "backend-http2.conf",
    "backend-https.conf",
    "backend-grpcs.conf",
  ])
    write(name, believing(trust, readFileSync(join(here, name), "utf8")));
  writeFirstGeneration(directory);
  write("node/modules/lua.conf", installation.modules.map((path) => `load_module ${path};\n`).join(""));
  write("node/process.conf", `${userLine(stateDirectory)}worker_processes ${workers};\n`);
  write("node/events.conf", `worker_connections ${connections};\n`);
  const tickets = ticketsOf(installation.command, "node/ticket.key");
  write("node/tickets.conf", tickets.conf);
  if (tickets.key !== undefined) write("node/ticket.key", tickets.key, 0o600);
  write("node/rich.conf", richLocations());
  write("node/backend-upstreams.conf", backendUpstreams());
  write("node/backend-locations.conf", backendLocations(authorities));
  write("node/memory.conf", `lua_shared_dict entrance_state ${memoryMiB}m;\n`);
  for (const [name, [bind, port]] of Object.entries(listeners)) {
    const { flag, lines } = proxyProtocolOf(trust, name);
    const tls = name === "admin" ? adminTls : { flag: "", lines: "" };
    const flags = `${OF_LISTENER[name] ?? ""}${flag}${tls.flag}`;
    write(`node/${name}.conf`, `listen ${bind}:${port}${flags};\n${lines}${tls.lines}`);
  }
  for (const [scheme, port] of Object.entries({ http, https })) {
    const forwarded = { "X-Forwarded-Proto": scheme, "X-Forwarded-Port": port };
    const headers = Object.entries(forwarded).map(([name, value]) => `proxy_set_header ${name} ${value};\n`);
    write(`node/${scheme}-forwarded.conf`, believing(trust, headers.join("")));
  }
  write("node/ports.conf", `map $scheme $listener_port { https ${https}; default ${http}; }\n`);
  write("node/v1.conf", v1Conf(v1));
  write("node/keepalive.conf", "keepalive_timeout 75s;\n");
  write("node/record.conf", recordConf(accessLog, recorded.counts));
  write("node/log-sample.conf", sampleConf(accessLog));
  write("node/request-id.conf", requestIdConf(randomBytes(4).toString("hex")));
  write("node/trusted.conf", trustedConf(trust, { http, https }));
  write("node/fast-told.conf", fastUnlessTold(trust));
  const settings = {
    version: VERSION,
    ...recorded,
    suffix,
    health_needs_key: !isLoopback(healthAddress),
    v1_without_key: isLoopback(adminAddress),
  };
  const own = {
    address: options.bind?.http ?? "0.0.0.0",
    https: listeners.https.join(":"),
    httpsPort: https,
    ports: [...Object.values(listeners).map(([, port]) => port), ...(v1 === undefined ? [] : [v1.port])],
  };
  const l4 = l4Settings(own, trust, installation, connections, socketFolder(directory));
  const has_authorities = authorities !== undefined;
  const trusts_proxies = trust.proxies.length > 0;
  write(
    "settings.json",
    JSON.stringify({ ...settings, public_https_port: publicHttpsPort, trusts_proxies, has_authorities, l4 }),
  );
  write("keys", `${options.keys.join("\n")}\n`, 0o600);
  rmSync(join(directory, "lua"), { force: true });
  symlinkSync(join(here, "lua"), join(directory, "lua"));

  const launch = [`command=${checkPath("nginx", installation.command)}`, `drain_seconds=${drainSeconds}`];
  write("node/launch.env", `${[...launch, `stop_seconds=${stopSeconds}`].join("\n")}\n`);
  const launcher = { command: "/bin/sh", args: [join(here, "run.sh"), directory] };

  const args = ["-p", `${directory}/`, "-c", "conf/nginx.conf", "-e", "logs/error.log"];
  return { command: installation.command, args, launcher, directory, stateDirectory };
}
