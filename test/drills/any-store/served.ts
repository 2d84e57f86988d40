/** Asks every node for every route that there is, and for those that there are no more. */
import { X509Certificate } from "node:crypto";
import { requestTls } from "../../harness/https.ts";
import type { TestNode } from "../../harness/node.ts";

const atOnce = 8;

interface Rule {
  readonly domain: string;
  readonly scheme: "http" | "https" | "httptohttps" | "httpandhttps";
  readonly matches: { readonly path?: { readonly value: string } };
  readonly pools: readonly { readonly pool: string }[];
}

interface Node {
  readonly members: readonly { readonly port: number; readonly ready: boolean }[];
}

type Resources = ReadonlyMap<string, unknown>;
type Question = (node: TestNode) => Promise<string | undefined>;

/** Sentences: what is served and should not be, or is not. */
export async function wronglyServed(
  nodes: readonly TestNode[],
  resources: Resources,
  hosts: readonly string[],
  portOf: (backend: string) => number | undefined,
): Promise<string[]> {
  const questions = [...routeQuestions(resources, portOf), ...certificateQuestions(resources)];
  for (const host of hosts) if (!resources.has(`Domain/${host}`)) questions.push(goneQuestion(host));
  const asked = nodes.flatMap((node, place) => questions.map((question) => ({ node, place, question })));
  const wrong: string[] = [];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let next = asked.pop(); next !== undefined; next = asked.pop()) {
        const fault = await next.question(next.node).catch((error: unknown) => String(error));
        if (fault !== undefined) wrong.push(`node ${next.place}: ${fault}`);
      }
    }),
  );
  return wrong;
}

/** Rules of one host and path are of one tenant, and any of them may be the one that goes before. */
function routeQuestions(resources: Resources, portOf: (backend: string) => number | undefined): Question[] {
  const routes = new Map<string, Rule[]>();
  for (const [key, value] of resources) {
    if (!key.startsWith("Rule/")) continue;
    const rule = value as Rule;
    const name = `${rule.domain} ${rule.matches.path?.value ?? "/"}`;
    routes.set(name, [...(routes.get(name) ?? []), rule]);
  }
  return [...routes].map(([name, rules]) => async (node) => {
    const [host = "", path = ""] = name.split(" ");
    const ports = rules.flatMap((rule) => rule.pools.flatMap(({ pool }) => membersOf(resources, pool)));
    const byHttp = rules.map(({ scheme }) => scheme);
    const { status, headers } = await node.get(host, path);
    if (status === 308 && byHttp.includes("httptohttps")) return undefined;
    if (status === 404 && byHttp.includes("https")) return undefined;
    const isEmpty = rules.some(({ pools }) => pools.every(({ pool }) => membersOf(resources, pool).length === 0));
    if (status === 503 && isEmpty) return undefined;
    const port = portOf(String(headers["x-backend"]));
    if (status === 200 && port !== undefined && ports.includes(port)) return undefined;
    return `${host}${path} answers ${status} of ${headers["x-backend"]} instead of one of ${ports.join()}`;
  });
}

function membersOf(resources: Resources, pool: string): number[] {
  const prefix = `Node${pool.slice("Pool".length)}/`;
  const lists = [...resources].filter(([key]) => key.startsWith(prefix));
  return lists.flatMap(([, value]) => (value as Node).members.map(({ port }) => port));
}

function certificateQuestions(resources: Resources): Question[] {
  return [...resources].flatMap(([key, value]) => {
    const { certificates = [] } = key.startsWith("Domain/") ? (value as { certificates?: readonly string[] }) : {};
    const chains = certificates.flatMap((name) => (resources.get(name) as { chain?: string } | undefined)?.chain ?? []);
    if (chains.length === 0) return [];
    const prints = chains.map((chain) => new X509Certificate(chain).fingerprint256);
    const host = decodeURIComponent(key.slice("Domain/".length));
    return [
      async (node: TestNode) => {
        const { certificate } = await requestTls(node.ports.https, host);
        return prints.includes(certificate.fingerprint256) ? undefined : `${host} has another certificate`;
      },
    ];
  });
}

function goneQuestion(host: string): Question {
  return async (node) => {
    const { status } = await node.get(host);
    return status === 404 ? undefined : `${host} answers ${status} instead of 404`;
  };
}
