/**
 * node/backend-upstreams.conf and node/backend-locations.conf: where requests go whose pool asks for more than plain
 * HTTP to members in turn. lua/route/backend.lua names them in the same way.
 */
import { existsSync } from "node:fs";
import { retriedSets } from "./rich-locations.ts";

/** Each with connections of one identity (what is verified, by whom, which name), as nginx looks for kept ones by address. */
const SLOTS = 16;
const KEPT_PLAIN = 256;
const KEPT_OF_SLOT = 64;
/** lua/route/tls_slots.lua gives a slot to another identity once these are over. */
const KEPT_SECONDS = 60;

/** Of Debian and Alpine, Red Hat, SUSE. */
const AUTHORITIES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/var/lib/ca-certificates/ca-bundle.pem",
];

/** The file of those who sign for what the system trusts, or undefined: then no member can be verified by them. */
export function findAuthorities(): string | undefined {
  return AUTHORITIES.find((path) => existsSync(path));
}

function block(head: string, lines: readonly string[]): string {
  return `${head} {\n${lines.map((line) => `  ${line}${line.endsWith("}") ? "" : ";"}\n`).join("")}}\n`;
}

function upstream(name: string, kept: number): string {
  const balancer = ["server 0.0.0.1", "balancer_by_lua_block { entrance.try() }"];
  const keeps = [`keepalive ${kept}`, `keepalive_timeout ${KEPT_SECONDS}s`, "keepalive_requests 10000"];
  return block(`upstream ${name}`, kept > 0 ? [...balancer, ...keeps] : balancer);
}

export function backendUpstreams(): string {
  const slots = Array.from({ length: SLOTS }, (_, slot) => upstream(`tls_${slot}`, KEPT_OF_SLOT));
  return [upstream("h2c", KEPT_PLAIN), ...slots, upstream("tls_once", 0)].join("");
}

function again(statuses: readonly number[]): string {
  return ["error", "timeout", ...statuses.map((status) => `http_${status}`)].join(" ");
}

function overHttp(name: string, to: string, statuses: readonly number[], more: readonly string[] = []): string {
  const passes = [`proxy_pass ${to}`, `proxy_next_upstream ${again(statuses)}`, "include backend-http.conf"];
  return block(`location ${name}`, [...passes, ...more, `error_page 500 = ${name}`, "include backend.conf"]);
}

function overHttp2(name: string, to: string, statuses: readonly number[], more: readonly string[] = []): string {
  const passes = [`grpc_pass ${to}`, `grpc_next_upstream ${again(statuses)}`, "include backend-http2.conf"];
  return block(`location ${name}`, [...passes, ...more, `error_page 500 = ${name}`, "include backend.conf"]);
}

/** Kept sessions would be resumed for another name than was verified. */
function tls(module: "proxy" | "grpc", authorities: string | undefined): string[] {
  const lines = ["ssl_server_name on", "ssl_name $entrance_tls_name", "ssl_session_reuse off", "ssl_verify_depth 8"];
  const trust =
    authorities === undefined ? ["ssl_verify off"] : ["ssl_verify on", `ssl_trusted_certificate ${authorities}`];
  return [...lines, "ssl_protocols TLSv1.2 TLSv1.3", ...trust].map((line) => `${module}_${line}`);
}

/** The two locations whose members must be signed for by who is in this file. */
function verified(suffix: string, authorities: string): string {
  return (
    overHttp(`@https_${suffix}`, "https://$entrance_upstream", [], tls("proxy", authorities)) +
    overHttp2(`@grpcs_${suffix}`, "grpcs://$entrance_upstream", [], tls("grpc", authorities))
  );
}

/** authorities: a file, which takes 35 ms and 1 MiB to read each time: so its locations try no status again. */
export function backendLocations(authorities: string | undefined): string {
  const bySet = retriedSets.map((statuses, set) =>
    [
      overHttp(`@special_${set}`, "http://weighed", statuses),
      overHttp2(`@h2c_${set}`, "grpc://h2c", statuses),
      overHttp(`@https_${set}`, "https://$entrance_upstream", statuses, tls("proxy", undefined)),
    ].join(""),
  );
  const unverified = overHttp2("@grpcs_0", "grpcs://$entrance_upstream", [], tls("grpc", undefined));
  return [...bySet, unverified, authorities === undefined ? "" : verified("system", authorities)].join("");
}
