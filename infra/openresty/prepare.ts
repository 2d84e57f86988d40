// Lays out the folder that a node runs in, and says which command runs it. All that becomes configuration here is
// numbers, addresses and file names that were checked; names, paths and keys of users are data that Lua reads.
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { address, checkDirectory, checkKeys, checkSuffix, integer, isLoopback } from "./prepare/checked.ts";
import { findInstallation } from "./prepare/installation.ts";
import { connectionLimit, userLine } from "./prepare/process.ts";
import { richLocations } from "./prepare/rich-locations.ts";

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

export const defaultPorts: NodePorts = PORTS;

function makeFolder(path: string, mode: number, owner: { uid: number; gid: number } | undefined): void {
  const isNew = !existsSync(path);
  mkdirSync(path, { recursive: true, mode });
  chmodSync(path, mode);
  if (isNew && owner !== undefined && process.getuid?.() === 0) chownSync(path, owner.uid, owner.gid);
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
  for (const name of ["nginx.conf", "routes.conf", "forwarded.conf", "rich.conf"])
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
