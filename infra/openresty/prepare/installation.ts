/** The nginx that runs here, and the modules that it must be told to load. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { NodeSetupError } from "./setup-error.ts";

const APT =
  "apt-get install -y nginx libnginx-mod-http-lua libnginx-mod-stream lua-resty-core lua-resty-lrucache lua-cjson";
const OPENRESTY = "/usr/local/openresty/nginx/sbin/nginx";
const MODULE_FOLDERS = ["/usr/lib/nginx/modules", "/usr/share/nginx/modules"];
const MODULES = ["ndk_http_module.so", "ngx_http_lua_module.so", "ngx_stream_module.so"];
const STREAM_LUA = "ngx_stream_lua_module.so";

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

export interface Installation {
  readonly command: string;
  readonly modules: readonly string[];
  /** Members of ports for connections are data; otherwise a change of them reloads. */
  readonly hasStreamLua: boolean;
}

function debianHasCjson(): boolean {
  const folders = ["/usr/lib", "/usr/local/lib"];
  const names = folders.flatMap((folder) => {
    const architectures = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
    return [folder, ...architectures].map((path) => join(path, "lua/5.1/cjson.so"));
  });
  return names.some((path) => existsSync(path));
}

/** Without it the PROXY protocol's client is known to requests alone; some builds of OpenResty lack it. */
export function hasStreamRealip(command: string): boolean {
  return spawnSync(command, ["-V"], { encoding: "utf8" }).stderr.includes("--with-stream_realip_module");
}

/**
 * OpenResty has all that is needed; a stock nginx needs Debian's packages. Lua for connections is in none of them: it is
 * used where its module lies beside the others, or is given.
 */
export function findInstallation(streamLuaModule?: string): Installation {
  const openresty = existsSync(OPENRESTY) ? OPENRESTY : findInPath("openresty");
  if (openresty !== undefined) return { command: openresty, modules: [], hasStreamLua: true };
  const nginx = findInPath("nginx");
  const folder = MODULE_FOLDERS.find((path) => MODULES.every((name) => existsSync(join(path, name))));
  const missing = [
    nginx === undefined ? "nginx" : "",
    folder === undefined ? "nginx's Lua and stream modules" : "",
    existsSync("/usr/share/lua/5.1/resty/core.lua") ? "" : "lua-resty-core",
    existsSync("/usr/share/lua/5.1/resty/lrucache.lua") ? "" : "lua-resty-lrucache",
    debianHasCjson() ? "" : "lua-cjson",
  ].filter((name) => name !== "");
  if (nginx === undefined || folder === undefined || missing.length > 0) {
    throw new NodeSetupError(`${missing.join(", ")} missing. Install with: ${APT}`);
  }
  const streamLua = streamLuaModule ?? join(folder, STREAM_LUA);
  const hasStreamLua = existsSync(streamLua);
  const modules = MODULES.map((name) => join(folder, name));
  return { command: nginx, modules: hasStreamLua ? [...modules, streamLua] : modules, hasStreamLua };
}
