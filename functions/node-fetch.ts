/**
 * How nodes are called in Node. What they answer has a limit. Those that are found by a Service have its name in their
 * certificates, not the addresses at which they are called.
 */
import { Agent, fetch } from "undici";
import type { BalancerConfig, NodeService } from "./config.ts";

const connectMs = 3_000;
/** A state with 1,000 rejections is about 300 KB. Beyond it the connection ends. */
const maxResponseSize = 4 * 1024 * 1024;

type Authorities = () => string | undefined;

function fetchOfService({ namespace, name }: NodeService, authorities: Authorities): typeof globalThis.fetch {
  let agent: Agent | undefined;
  let trusted: string | undefined;
  return async (url, init) => {
    const ca = authorities();
    if (agent === undefined || ca !== trusted) {
      void agent?.close();
      agent = new Agent({
        maxResponseSize,
        connect: { timeout: connectMs, servername: `${name}.${namespace}.svc`, ...(ca === undefined ? {} : { ca }) },
      });
      trusted = ca;
    }
    return fetchBy(agent, url, init);
  };
}

async function fetchBy(agent: Agent, ...[url, init]: Parameters<typeof globalThis.fetch>): Promise<Response> {
  const options = { ...init, dispatcher: agent } as Parameters<typeof fetch>[1];
  return (await fetch(String(url), options)) as unknown as Response;
}

/**
 * `own`: who signs for nodes that are found by a Service, as it is now; undefined: whom the process trusts. `named`: whom
 * the process trusts by a setting, and who count beside our own as well.
 */
export function fetchOf(
  balancer: BalancerConfig,
  own: Authorities,
  named: string | undefined,
): typeof globalThis.fetch {
  if (balancer.service === undefined) {
    const agent = new Agent({ maxResponseSize });
    return (url, init) => fetchBy(agent, url, init);
  }
  return fetchOfService(balancer.service, () => {
    const ours = own();
    return ours === undefined || named === undefined ? ours : `${ours}\n${named}`;
  });
}
