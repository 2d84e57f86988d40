/** One source of a Service's members (discovery.k8s.io/v1). */
import type { SeenMetadata } from "./object.ts";

export interface SeenEndpoint {
  readonly addresses: readonly string[];
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
  readonly addressType: string;
  readonly ports: readonly SeenEndpointPort[];
  readonly endpoints: readonly SeenEndpoint[];
}
