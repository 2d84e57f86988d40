/** A listener for connections: one port of a balancer that leads to one pool. `http` and `https` are the node's own. */
import * as v from "valibot";
import { portNumber } from "./port-number.ts";

export const virtualServiceSchema = v.object({
  port: portNumber,
  protocol: v.picklist(["tcp", "udp"], "must be tcp or udp: http and https listeners are the node's own"),
  /** Addresses to listen on; none means all. */
  addresses: v.pipe(v.array(v.pipe(v.string(), v.ip("must be an IPv4 or IPv6 address"))), v.maxLength(64)),
  /** Key of the Pool. Only its members count, and of one that speaks tcp `proxyProtocol`. */
  pool: v.pipe(v.string(), v.startsWith("Pool/", "must be the key of a Pool")),
  /** False: the port is kept for its holder, and nobody listens. */
  enabled: v.boolean("must be true or false"),
});

export type VirtualService = v.InferOutput<typeof virtualServiceSchema>;
