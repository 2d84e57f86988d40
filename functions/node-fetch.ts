/** Nodes that are found by a Service have its name in their certificates, not the addresses at which they are called. */
import { Agent, fetch } from "undici";
import type { BalancerConfig, NodeService } from "./config.ts";

const connectMs = 3_000;

/** `authorities`: who signs for them, as it is now. */
function fetchOfService(
  { namespace, name }: NodeService,
  authorities: () => string | undefined,
): typeof globalThis.fetch {
  let agent: Agent | undefined;
  let trusted: string | undefined;
  return async (url, init) => {
    const ca = authorities();
    if (agent === undefined || ca !== trusted) {
      void agent?.close();
      agent = new Agent({
        connect: { timeout: connectMs, servername: `${name}.${namespace}.svc`, ...(ca === undefined ? {} : { ca }) },
      });
      trusted = ca;
    }
    const options = { ...init, dispatcher: agent } as Parameters<typeof fetch>[1];
    return (await fetch(String(url), options)) as unknown as Response;
  };
}

export function fetchOf(balancer: BalancerConfig, authorities: () => string | undefined): typeof globalThis.fetch {
  return balancer.service === undefined
    ? (url, init) => globalThis.fetch(url, init)
    : fetchOfService(balancer.service, authorities);
}
