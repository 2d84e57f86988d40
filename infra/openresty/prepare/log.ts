/** What of the node's configuration depends on how requests are logged and counted. */
import { NodeSetupError } from "./setup-error.ts";

/** `on`, `off`, or the part of all requests that is logged, such as `0.01`: what failed (5xx) always is. */
export type AccessLog = string;

/** Lua's part: whether anybody asks what a request has met, and whether requests are counted. */
export interface Recorded {
  readonly logs: boolean;
  readonly counts: boolean;
}

const TO = "access_log logs/access.log entrance buffer=64k flush=1s";

/** In percent with two decimals, as split_clients takes it. */
function percentOf(setting: AccessLog): number | undefined {
  if (!/^(0(\.\d{1,9})?|1(\.0{1,9})?)$/.test(setting)) return undefined;
  return Math.round(Number(setting) * 10_000) / 100;
}

export function checkAccessLog(setting: AccessLog): AccessLog {
  const percent = percentOf(setting);
  if (setting === "on" || setting === "off" || (percent !== undefined && percent >= 0.01)) return setting;
  throw new NodeSetupError(`the access log is on, off, or a part from 0.0001 to 1 such as 0.01, not ${setting}`);
}

/** Part of http {}: which requests a sampled log has. Of one connection's requests each is drawn by itself. */
export function sampleConf(setting: AccessLog): string {
  const percent = percentOf(setting);
  if (percent === undefined || percent >= 100) return "";
  return [
    `split_clients "$connection $connection_requests $msec" $is_drawn { ${percent.toFixed(2)}% 1; * 0; }`,
    'map $status $is_logged { "~^5" 1; default $is_drawn; }',
    "",
  ].join("\n");
}

/** Part of each server of applications. */
export function recordConf(setting: AccessLog, counts: boolean): string {
  const percent = percentOf(setting);
  const isSampled = percent !== undefined && percent < 100;
  const log = setting === "off" ? "access_log off" : `${TO}${isSampled ? " if=$is_logged" : ""}`;
  return `${log};\n${counts ? "log_by_lua_block { entrance.count() }\n" : ""}`;
}

/** Part of http {}: the id of a request. A client's own is kept if it is sane; start: 8 hex digits of this start. */
export function requestIdConf(start: string): string {
  const own = `"${start}-$connection-$connection_requests"`;
  const sane = '"~^[A-Za-z0-9._-]{1,128}$" $http_x_request_id';
  return `map $http_x_request_id $entrance_id { "" ${own}; ${sane}; default ${own}; }\n`;
}
