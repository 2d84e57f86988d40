/** Changes of every kind around an application that is served all the while. */
import type { Pair } from "../../harness/certificate.ts";
import type { Change } from "../../harness/node.ts";
import { application, pool, rule, slice } from "../../node/values.ts";

export const host = "www.example";
const certificateKey = "Certificate/shop/www";

export interface Parts {
  /** Two that can serve. */
  readonly ports: readonly [number, number];
  readonly certificates: readonly [Pair, Pair];
}

function certificate(key: string, pair: Pair): Change {
  return { key, value: { ...pair, names: [host], notAfter: "2036-11-19T10:21:40Z" } };
}

function gone({ key }: Change): Change {
  return { key, value: null };
}

const filters = {
  header: { type: "ResponseHeaderModifier", responseHeaderModifier: { set: [{ name: "X-Change", value: "yes" }] } },
  limit: { type: "BodyLimit", bodyLimit: { maxBytes: 1_000_000 } },
};

/** What serves it from the beginning: one pool, one rule for both listeners, a certificate. */
export function established({ ports, certificates }: Parts): Change[] {
  return [
    pool("www"),
    slice("www", [{ port: ports[0] }, { port: ports[1] }]),
    rule(host, "www", { more: { scheme: "httpandhttps" } }),
    certificate(certificateKey, certificates[0]),
    { key: `Domain/${host}`, value: { tenant: "shop", certificates: [certificateKey] } },
    // wrk names an address, and no host, in its handshakes.
    { key: "Domain/*", value: { tenant: "shop", certificates: [certificateKey] } },
  ];
}

/** One change after another; in each the application can be served, and nothing needs a port opened. */
export function changeOf(number: number, { ports, certificates }: Parts): Change[] {
  const turn = Math.floor(number / 16);
  const [first, second] = ports;
  const other = `other-${turn % 50}`;
  const otherHost = `${other}.example`;
  const members = [[first, second], [first], [second], [second, first]][turn % 4] ?? [first];
  const pair = certificates[turn % 2] ?? certificates[0];
  switch (number % 16) {
    case 0:
      return application(otherHost, other, [{ port: first }]);
    case 1:
      return [
        slice(
          "www",
          members.map((port) => ({ port })),
        ),
      ];
    case 2:
      return [rule(host, "www", { more: { scheme: "httpandhttps", filters: [filters.header] } })];
    case 3:
      return [certificate(certificateKey, pair)];
    case 4:
      return [pool("www", { balance: "least-connections" })];
    case 5:
      return [rule(host, "www", { path: `/path-${turn % 20}`, number: 1, more: { scheme: "httpandhttps" } })];
    case 6:
      return [pool("www", { balance: "hash", hash: { by: "source" } })];
    case 7:
      return [rule(host, "www", { more: { scheme: "httpandhttps", filters: [filters.limit, filters.header] } })];
    case 8:
      return [
        certificate(`Certificate/shop/${other}`, pair),
        { key: `Domain/${otherHost}`, value: { tenant: "shop", certificates: [`Certificate/shop/${other}`] } },
      ];
    case 9:
      return [pool("www", { health: { passive: { failures: 5, for: "1s" } }, slowStart: "1s" })];
    case 10:
      return [slice("www", [{ port: second, weight: 1 + (turn % 9) }], "b")];
    case 11:
      return [rule(host, "www", { more: { scheme: "httpandhttps", timeouts: { request: "60s" } } })];
    case 12:
      return [slice("www", [{ port: second, state: "draining" }], "b")];
    case 13:
      return [pool("www"), gone(slice("www", [], "b"))];
    case 14:
      return [rule(host, "www", { more: { scheme: "httpandhttps" } })];
    default:
      return turn % 2 === 0 ? [] : application(otherHost, other, [{ port: first }]).map(gone);
  }
}
