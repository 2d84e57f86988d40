// Lays out the folder that a node runs in, and says which command runs it. All that becomes configuration here is
// numbers, addresses and file names that were checked; names, paths and keys of users are data that Lua reads.
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { isIP } from "node:net";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export interface NodePorts {
  readonly http: number;
  readonly admin: number;
  readonly health: number;
  readonly waiting: number;
}

export interface NodeOptions {
  /** The folder to run in; its state/ survives, all else in it is written anew. */
  readonly directory: string;
  readonly ports: NodePorts;
  /** Addresses that the listeners bind. Data: all; the others: loopback. */
  readonly bind?: { readonly http?: string; readonly admin?: string; readonly health?: string };
  readonly workers: number;
  /** One or two keys of the admin API. */
  readonly keys: readonly string[];
  /** HTTP_SUFFIX_URL of an existing Rainbond. */
  readonly suffix?: string;
  /** Size of the dictionary that holds the state: twice what the largest state takes. */
  readonly memoryMiB?: number;
}

export interface NodeCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly stateDirectory: string;
}

const here = dirname(fileURLToPath(import.meta.url));
const VERSION = "0.1.0";
const PORTS = { http: 1080, admin: 10002, health: 10003, waiting: 10004 } as const satisfies NodePorts;
const CONNECTIONS = 16_384;
const APT = "apt-get install -y nginx libnginx-mod-http-lua lua-resty-core lua-resty-lrucache lua-cjson";
const OPENRESTY = "/usr/local/openresty/nginx/sbin/nginx";
const MODULE_FOLDERS = ["/usr/lib/nginx/modules", "/usr/share/nginx/modules"];
const MODULES = ["ndk_http_module.so", "ngx_http_lua_module.so"];

export const defaultPorts: NodePorts = PORTS;

export class NodeSetupError extends Error {
  override readonly name = "NodeSetupError";
}

function integer(what: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new NodeSetupError(`${what} must be a whole number from ${least} to ${most}, not ${value}`);
  }
  return value;
}

function address(what: string, value: string): string {
  const family = isIP(value);
  if (family === 0 || value.includes("%")) throw new NodeSetupError(`${what} must be an IP address, not ${value}`);
  return family === 6 ? `[${value}]` : value;
}

function isLoopback(value: string): boolean {
  return value === "::1" || /^127\./.test(value);
}

function checkKeys(keys: readonly string[]): void {
  if (keys.length < 1 || keys.length > 2) throw new NodeSetupError("a node takes one or two keys");
  for (const key of keys) {
    if (!/^[\x21-\x7e]{16,256}$/.test(key)) {
      throw new NodeSetupError("a key must have 16 to 256 visible ASCII characters and no spaces");
    }
  }
}

function checkSuffix(suffix: string): string {
  if (suffix !== "" && !/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(suffix)) {
    throw new NodeSetupError(`the suffix must be a DNS name in lower case, not ${suffix}`);
  }
  return suffix;
}

// nginx's own search paths end at these characters.
function checkDirectory(directory: string): string {
  const path = resolve(directory);
  if (/[;?"'\\$\s{}#]/.test(path)) {
    throw new NodeSetupError(`the node can't run in ${path}: choose a path without spaces, quotes and ; ? $ { } # \\`);
  }
  return path;
}

function findInPath(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not here
    }
  }
  return undefined;
}

interface Installation {
  readonly command: string;
  readonly modules: readonly string[];
}

function debianHasCjson(): boolean {
  const folders = ["/usr/lib", "/usr/local/lib"];
  const names = folders.flatMap((folder) => {
    const architectures = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
    return [folder, ...architectures].map((path) => join(path, "lua/5.1/cjson.so"));
  });
  return names.some((path) => existsSync(path));
}

/** OpenResty has all that is needed; a stock nginx needs Debian's packages. */
function findInstallation(): Installation {
  const openresty = existsSync(OPENRESTY) ? OPENRESTY : findInPath("openresty");
  if (openresty !== undefined) return { command: openresty, modules: [] };
  const nginx = findInPath("nginx");
  const folder = MODULE_FOLDERS.find((path) => MODULES.every((name) => existsSync(join(path, name))));
  const missing = [
    nginx === undefined ? "nginx" : "",
    folder === undefined ? "nginx's Lua module" : "",
    existsSync("/usr/share/lua/5.1/resty/core.lua") ? "" : "lua-resty-core",
    existsSync("/usr/share/lua/5.1/resty/lrucache.lua") ? "" : "lua-resty-lrucache",
    debianHasCjson() ? "" : "lua-cjson",
  ].filter((name) => name !== "");
  if (nginx === undefined || folder === undefined || missing.length > 0) {
    throw new NodeSetupError(`${missing.join(", ")} missing. Install with: ${APT}`);
  }
  return { command: nginx, modules: MODULES.map((name) => join(folder, name)) };
}

// The soft limit can be raised to the hard one and no further.
function connectionLimit(): number {
  const line = /^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
  const files = line?.[1] === undefined ? Number.POSITIVE_INFINITY : Number(line[1]);
  return Math.max(64, Math.min(CONNECTIONS, Math.floor(files / 2) - 64));
}

function nameOfId(file: string, id: number): string | undefined {
  const lines = readFileSync(file, "utf8").split("\n");
  const name = lines.map((line) => line.split(":")).find((fields) => fields[2] === String(id))?.[0];
  return name !== undefined && /^[a-z_][a-z0-9_-]*$/.test(name) ? name : undefined;
}

/** Started as root, workers run as the owner of the state folder; otherwise as whoever starts them. */
function userLine(stateDirectory: string): string {
  if (process.getuid?.() !== 0) return "";
  const { uid, gid } = statSync(stateDirectory);
  const user = nameOfId("/etc/passwd", uid);
  const group = nameOfId("/etc/group", gid);
  if (user === undefined || group === undefined) {
    throw new NodeSetupError(`${stateDirectory} belongs to a user or group without a name: chown it to one that has`);
  }
  return `user ${user} ${group};\n`;
}

function makeFolder(path: string, mode: number, owner: { uid: number; gid: number } | undefined): void {
  const isNew = !existsSync(path);
  mkdirSync(path, { recursive: true, mode });
  chmodSync(path, mode);
  if (isNew && owner !== undefined && process.getuid?.() === 0) chownSync(path, owner.uid, owner.gid);
}

const RETRIED = [500, 502, 503, 504];
const CUT_OFF = "body_filter_by_lua_block { entrance.filter_body() }";

/**
 * The locations of rules with filters, by what nginx takes from no variable: the answers that are tried again (each set
 * of four, `@rich_0` to `@rich_15`), gzip, and whether an answer may be cut off. route/rich.lua names them in the same
 * way.
 */
function richLocations(): string {
  const sets = Array.from({ length: 2 ** RETRIED.length }, (_, set) =>
    RETRIED.filter((_status, place) => (set >> place) % 2 === 1),
  );
  const variants = [
    { suffix: "", lines: [] },
    { suffix: "_gzip", lines: ["gzip on"] },
    { suffix: "_timed", lines: [CUT_OFF] },
    { suffix: "_gzip_timed", lines: ["gzip on", CUT_OFF] },
  ];
  const locations = sets.flatMap((statuses, set) =>
    variants.map(({ suffix, lines }) => {
      const name = `@rich_${set}${suffix}`;
      const again = ["error", "timeout", ...statuses.map((status) => `http_${status}`)].join(" ");
      // Waiting before another try, and saying why there is none, is the same location's work.
      const all = [...lines, `proxy_next_upstream ${again}`, `error_page 500 = ${name}`, "include rich.conf"];
      return `location ${name} {\n${all.map((line) => `  ${line}${line.endsWith("}") ? "" : ";"}\n`).join("")}}\n`;
    }),
  );
  return locations.join("");
}

/** Checks everything, writes the run folder, and gives the command that runs the node (in a group of its own, please). */
export function prepareNode(options: NodeOptions): NodeCommand {
  const directory = checkDirectory(options.directory);
  const { http, admin, health, waiting } = options.ports;
  const adminAddress = options.bind?.admin ?? "127.0.0.1";
  const listeners = {
    http: [address("bind.http", options.bind?.http ?? "0.0.0.0"), integer("ports.http", http, 1, 65_535)],
    admin: [address("bind.admin", adminAddress), integer("ports.admin", admin, 1, 65_535)],
    health: [address("bind.health", options.bind?.health ?? "127.0.0.1"), integer("ports.health", health, 1, 65_535)],
    waiting: ["127.0.0.1", integer("ports.waiting", waiting, 1, 65_535)],
  } as const;
  const workers = integer("workers", options.workers, 1, 256);
  const memoryMiB = integer("memoryMiB", options.memoryMiB ?? 256, 1, 65_536);
  const suffix = checkSuffix(options.suffix ?? "");
  checkKeys(options.keys);
  const installation = findInstallation();

  mkdirSync(directory, { recursive: true });
  const owner = statSync(directory);
  const stateDirectory = join(directory, "state");
  makeFolder(stateDirectory, 0o700, owner);
  makeFolder(join(directory, "logs"), 0o755, owner);
  makeFolder(join(directory, "temp"), 0o700, statSync(stateDirectory));
  rmSync(join(directory, "conf"), { recursive: true, force: true });
  mkdirSync(join(directory, "conf/node/modules"), { recursive: true });

  const connections = connectionLimit();
  const write = (name: string, text: string, mode = 0o644) => {
    writeFileSync(join(directory, "conf", name), text, { mode });
  };
  for (const name of ["nginx.conf", "forwarded.conf", "rich.conf"])
    copyFileSync(join(here, name), join(directory, "conf", name));
  write("node/modules/lua.conf", installation.modules.map((path) => `load_module ${path};\n`).join(""));
  write("node/process.conf", `${userLine(stateDirectory)}worker_processes ${workers};\n`);
  write("node/events.conf", `worker_connections ${connections};\n`);
  write("node/rich.conf", richLocations());
  write("node/memory.conf", `lua_shared_dict entrance_state ${memoryMiB}m;\n`);
  for (const [name, [bind, port]] of Object.entries(listeners)) {
    write(`node/${name}.conf`, `listen ${bind}:${port}${name === "http" ? " backlog=4096" : ""};\n`);
  }
  const forwarded = { "X-Forwarded-Proto": "http", "X-Forwarded-Port": http };
  const headers = Object.entries(forwarded).map(([name, value]) => `proxy_set_header ${name} ${value};\n`);
  write("node/http-forwarded.conf", headers.join(""));
  write("settings.json", JSON.stringify({ version: VERSION, suffix, v1_without_key: isLoopback(adminAddress) }));
  write("keys", `${options.keys.join("\n")}\n`, 0o600);
  rmSync(join(directory, "lua"), { force: true });
  symlinkSync(join(here, "lua"), join(directory, "lua"));

  const args = ["-p", `${directory}/`, "-c", "conf/nginx.conf", "-e", "logs/error.log"];
  return { command: installation.command, args, directory, stateDirectory };
}
