/** A listener. `http` and `https` always exist on a node; the others are claimed port by port. */
import * as v from "valibot";
import { portNumber } from "./port-number.ts";

export const virtualServiceSchema = v.object({
  port: portNumber,
  protocol: v.picklist(["tcp", "udp", "http", "https", "tls"]),
  /** Addresses to listen on; none means all. */
  addresses: v.pipe(v.array(v.pipe(v.string(), v.ip())), v.maxLength(64)),
  /** Key of the Pool, for L4. */
  pool: v.optional(v.pipe(v.string(), v.startsWith("Pool/"))),
  tls: v.optional(v.picklist(["terminate", "passthrough"])),
  enabled: v.boolean(),
});

export type VirtualService = v.InferOutput<typeof virtualServiceSchema>;
