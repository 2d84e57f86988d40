/** What Lua must know to open ports for connections: checked values, which become configuration. */
import { hasStreamRealip, type Installation } from "./installation.ts";
import { NodeSetupError } from "./setup-error.ts";
import type { Trust } from "./trusted.ts";

const SHARE_FOR_SOCKETS = 0.6;

export interface OwnListeners {
  /** Where ports are opened that ask for no address. */
  readonly address: string;
  /** The https listener as nginx writes it, and its port. */
  readonly https: string;
  readonly httpsPort: number;
  readonly ports: readonly number[];
}

export function l4Settings(
  own: OwnListeners,
  trust: Trust,
  installation: Installation,
  connections: number,
  folder: string | undefined,
): Readonly<Record<string, unknown>> {
  const takesOnTcp = trust.proxyProtocol.includes("tcp");
  const knowsTheClient = trust.proxyProtocol.length === 0 || hasStreamRealip(installation.command);
  if (takesOnTcp && !knowsTheClient) {
    throw new NodeSetupError(
      "this nginx lacks ngx_stream_realip_module: take tcp out of the listeners with the PROXY protocol",
    );
  }
  return {
    address: own.address,
    https: own.https,
    https_port: own.httpsPort,
    own_ports: own.ports,
    // Each takes one of a worker's connections; the others are for those who come.
    sockets: Math.floor(connections * SHARE_FOR_SOCKETS),
    folder,
    has_lua: installation.hasStreamLua && folder !== undefined,
    trusted: trust.proxies,
    takes_proxy_protocol: takesOnTcp,
    https_takes_proxy_protocol: trust.proxyProtocol.includes("https"),
    knows_the_client: knowsTheClient,
  };
}
