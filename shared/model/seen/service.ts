/** A Service: its ports, and the labels and annotations by which it asks for routes. */
import type { SeenMetadata } from "./metadata.ts";

export interface SeenServicePort {
  /** Empty when the Service has one unnamed port. */
  readonly name: string;
  readonly port: number;
  readonly protocol: "TCP" | "UDP" | "SCTP";
  /** A container port's number or name; absent: the same as `port`. */
  readonly targetPort?: number | string;
  readonly appProtocol?: string;
}

export interface SeenService extends SeenMetadata {
  readonly kind: "Service";
  readonly type: string;
  readonly ports: readonly SeenServicePort[];
  /** Of a Service of type LoadBalancer: who shall serve its ports. */
  readonly loadBalancerClass?: string;
  /** Absent: None. */
  readonly sessionAffinity?: "ClientIP";
  /** `spec.selector.name`: Rainbond's service alias. */
  readonly selectorName?: string;
  /** The labels that translation reads (Rainbond's): tenant_name, protocol, domain, origin_port, lbmap_port, event_id. */
  readonly labels: Readonly<Record<string, string>>;
  /** Annotations of our prefix, without it: `http`, `tcp`, `class`, … */
  readonly annotations: Readonly<Record<string, string>>;
}
