/** Where requests of one backend go: one per Service port. */
import * as v from "valibot";
import { backendTlsSchema } from "./backend-tls.ts";
import { affinitySchema, balances, hashSchema } from "./balance.ts";
import { duration } from "./duration.ts";
import { healthSchema } from "./health.ts";

const poolProtocols = ["http", "h2c", "grpc", "https", "tcp", "udp"] as const;

const maxSlowStartSeconds = 3_600;

export const poolSchema = v.pipe(
  v.object({
    /**
     * What the members speak to a Rule. A listener or a passthrough takes any pool as mere addresses, so one port
     * that is asked for requests and for connections has one pool, which says what requests need.
     */
    protocol: v.picklist(poolProtocols, `must be one of ${poolProtocols.join(", ")}`),
    balance: v.picklist(balances, `must be one of ${balances.join(", ")}`),
    /** Rainbond's name of it, `TENANT@SERVICE_PORT.Pool`, for people who look for that. */
    alias: v.pipe(v.string(), v.maxLength(512)),
    /**
     * What serves when no member is ready. Absent: members that still serve while terminating. `unready`: the pool's
     * only member even when it is not ready, as Rainbond does.
     */
    fallback: v.optional(v.literal("unready", "must be unready or absent")),
    hash: v.optional(hashSchema),
    affinity: v.optional(affinitySchema),
    /** A member that has just come gets its full share only after this. */
    slowStart: v.optional(duration(maxSlowStartSeconds, 0.1)),
    health: v.optional(healthSchema),
    /** Of https, and of grpc by TLS. */
    tls: v.optional(backendTlsSchema),
    /** Of tcp: members are told the client's address by the PROXY protocol of this version. */
    proxyProtocol: v.optional(v.picklist(["v1", "v2"], "must be v1 or v2")),
  }),
  v.check(
    ({ balance, hash }) => (balance === "hash") === (hash !== undefined),
    "hash must say by what exactly where balance is hash",
  ),
  v.check(
    ({ protocol, tls }) => tls === undefined || protocol === "https" || protocol === "grpc",
    "tls needs protocol https or grpc",
  ),
  v.check(
    ({ protocol, proxyProtocol }) => proxyProtocol === undefined || protocol === "tcp",
    "proxyProtocol needs protocol tcp",
  ),
);

export type Pool = v.InferOutput<typeof poolSchema>;
