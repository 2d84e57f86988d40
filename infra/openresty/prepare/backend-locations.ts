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

const OVER_TLS = { https: "https://$entrance_upstream", grpcs: "grpcs://$entrance_upstream" } as const;

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

/** The two locations whose members must be signed for by who is in this file; lua/authorities/source.lua writes alike. */
function verified(suffix: string, authorities: string): string {
  const trust = (module: string) => [`${module}_ssl_verify on`, `${module}_ssl_trusted_certificate ${authorities}`];
  return (
    overHttp(`@https_${suffix}`, OVER_TLS.https, [], ["include backend-https.conf", ...trust("proxy")]) +
    overHttp2(`@grpcs_${suffix}`, OVER_TLS.grpcs, [], ["include backend-grpcs.conf", ...trust("grpc")])
  );
}

/** authorities: a file, which takes 35 ms and 1 MiB to read each time: so its locations try no status again. */
export function backendLocations(authorities: string | undefined): string {
  const bySet = retriedSets.map((statuses, set) =>
    [
      overHttp(`@special_${set}`, "http://weighed", statuses),
      overHttp2(`@h2c_${set}`, "grpc://h2c", statuses),
      overHttp(`@https_${set}`, OVER_TLS.https, statuses, ["include backend-https.conf"]),
    ].join(""),
  );
  const unverified = overHttp2("@grpcs_0", OVER_TLS.grpcs, [], ["include backend-grpcs.conf"]);
  return [...bySet, unverified, authorities === undefined ? "" : verified("system", authorities)].join("");
}
