/** Where requests of one backend go: one per Service port. */
import * as v from "valibot";

const poolProtocols = ["http", "h2c", "grpc", "https", "tcp", "udp"] as const;

export const poolSchema = v.object({
  protocol: v.picklist(poolProtocols, `protocol must be one of ${poolProtocols.join(", ")}`),
  balance: v.picklist(["round-robin"], "balance must be round-robin"),
  /** Rainbond's name of it, `TENANT@SERVICE_PORT.Pool`, for people who look for that. */
  alias: v.pipe(v.string(), v.maxLength(512)),
  /**
   * What serves when no member is ready. Absent: members that still serve while terminating. `unready`: the pool's
   * only member even when it is not ready, as Rainbond does.
   */
  fallback: v.optional(v.literal("unready")),
});

export type Pool = v.InferOutput<typeof poolSchema>;
