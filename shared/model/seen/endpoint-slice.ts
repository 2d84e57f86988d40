/** One source of a Service's members (discovery.k8s.io/v1). */
import type { SeenMetadata } from "./metadata.ts";

export interface SeenEndpoint {
  /** The first of its addresses: they are fungible (API: EndpointSlice), and an endpoint counts once. */
  readonly address: string;
  /** Absent conditions are resolved as the API says: ready unless false, serving as ready, terminating if true. */
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
}

export interface SeenEndpointPort {
  /** Equals the Service port's name; empty for the unnamed one. */
  readonly name: string;
  readonly port: number;
  readonly protocol: "TCP" | "UDP" | "SCTP";
}

export interface SeenEndpointSlice extends SeenMetadata {
  readonly kind: "EndpointSlice";
  /** Label `kubernetes.io/service-name`; absent: the slice belongs to no Service. */
  readonly service?: string;
  /** Of FQDN the endpoints are not kept: members are addresses. */
  readonly addressType: "IPv4" | "IPv6" | "FQDN";
  readonly ports: readonly SeenEndpointPort[];
  readonly endpoints: readonly SeenEndpoint[];
}
