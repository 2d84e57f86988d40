/** Members of a Pool, one list per source (an EndpointSlice). */
import * as v from "valibot";
import { portNumber } from "./port-number.ts";

/** An EndpointSlice holds at most 1,000 endpoints (Kubernetes API: discovery.k8s.io/v1). */
export const maxMembers = 1_000;

export const memberSchema = v.object({
  /** An IPv4 or IPv6 address, without brackets; never a name. */
  address: v.pipe(v.string(), v.ip("must be an IPv4 or IPv6 address")),
  port: portNumber,
  weight: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1_000_000)),
  state: v.picklist(["active", "draining", "disabled"]),
  ready: v.boolean(),
});

export const nodeSchema = v.object({ members: v.pipe(v.array(memberSchema), v.maxLength(maxMembers)) });

export type Member = v.InferOutput<typeof memberSchema>;
export type Node = v.InferOutput<typeof nodeSchema>;
