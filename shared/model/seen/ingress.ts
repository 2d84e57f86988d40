/** An Ingress (networking.k8s.io/v1). */
import type { SeenMetadata } from "./metadata.ts";

export type SeenBackend =
  | { readonly service: string; readonly port: number | string }
  /** A resource backend, which we do not serve. */
  | { readonly resource: string };

export interface SeenPath {
  /** Empty where the Ingress has none (ImplementationSpecific allows that): everything. */
  readonly path: string;
  readonly pathType: "Exact" | "Prefix" | "ImplementationSpecific";
  readonly backend: SeenBackend;
}

export interface SeenIngressRule {
  /** Empty: every host. */
  readonly host: string;
  readonly paths: readonly SeenPath[];
}

export interface SeenTls {
  readonly hosts: readonly string[];
  readonly secretName?: string;
}

export interface SeenIngress extends SeenMetadata {
  readonly kind: "Ingress";
  /** `spec.ingressClassName`, else the old annotation kubernetes.io/ingress.class. */
  readonly className?: string;
  readonly defaultBackend?: SeenBackend;
  readonly rules: readonly SeenIngressRule[];
  readonly tls: readonly SeenTls[];
  /** Label tenant_name only. */
  readonly labels: Readonly<Record<string, string>>;
  /** Annotations of our prefix, without it. */
  readonly annotations: Readonly<Record<string, string>>;
}
