/** What the members of a port speak to requests, by annotation or by the port's appProtocol. */
import type { BackendTls } from "../../model/backend-tls.ts";
import type { Pool } from "../../model/pool.ts";
import type { SeenService } from "../../model/seen/service.ts";
import type { Annotations } from "../wish/annotations.ts";
import { isVerified, type TlsWish, tlsOf } from "./tls.ts";

export interface Spoken {
  readonly protocol: Exclude<Pool["protocol"], "tcp" | "udp">;
  readonly tls?: BackendTls;
  /** The Secret of the authorities that `tls` is to be verified by. */
  readonly ca?: string;
  /** TLS to members that could be anybody, and nobody has said that this is meant so. */
  readonly isUnverified: boolean;
}

const named = ["http", "h2c", "grpc", "https", "grpcs"] as const;
type Name = (typeof named)[number];

/**
 * Kubernetes' standard names (KEP-3726: `kubernetes.io/…`), IANA's service names, and `grpc`, which is common though
 * neither lists it.
 */
const byAppProtocol: ReadonlyMap<string, Name> = new Map([
  ["http", "http"],
  ["kubernetes.io/ws", "http"],
  ["kubernetes.io/h2c", "h2c"],
  ["https", "https"],
  ["kubernetes.io/wss", "https"],
  ["grpc", "grpc"],
]);

/** `backend-protocol`, and how TLS is spoken where that asks for it. */
export function spokenOf(annotations: Annotations, service: SeenService, appProtocol: string | undefined): Spoken {
  const told = annotations.read("backend-protocol", named.join(", "), (text) => {
    const name = named.find((each) => each === text.toLowerCase());
    return name === undefined ? { ok: false, reason: "is not spoken" } : { ok: true, value: name };
  });
  const name = told ?? byAppProtocol.get(appProtocol ?? "") ?? "http";
  const wish = tlsOf(annotations);
  if (name !== "https" && name !== "grpcs") return { protocol: name, isUnverified: false };
  return {
    protocol: name === "https" ? "https" : "grpc",
    tls: backendTls(wish, service),
    ...(wish.ca === undefined ? {} : { ca: wish.ca }),
    isUnverified: !isVerified(wish) && wish.verify === undefined,
  };
}

/** A member's certificate is for the Service's name in the cluster where no other is told. */
function backendTls(wish: TlsWish, { name, namespace }: SeenService): BackendTls {
  const verify = isVerified(wish);
  const host = wish.name ?? (verify ? `${name}.${namespace}.svc` : undefined);
  return { verify, ...(host && { name: host }) };
}
