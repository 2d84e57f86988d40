/** What the stand-in for kubelet reads of a pod. */
import type { KubeObject, Metadata } from "./api.ts";

export interface EnvironmentEntry {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly fieldRef?: { readonly fieldPath: string };
    readonly secretKeyRef?: KeyReference;
    readonly configMapKeyRef?: KeyReference;
  };
}

interface KeyReference {
  readonly name: string;
  readonly key: string;
  readonly optional?: boolean;
}

export interface Probe {
  readonly httpGet?: { readonly path?: string; readonly port: number | string; readonly scheme?: string };
  readonly tcpSocket?: { readonly port: number | string };
  readonly periodSeconds?: number;
  readonly failureThreshold?: number;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly EnvironmentEntry[];
  readonly envFrom?: readonly {
    readonly secretRef?: { readonly name: string };
    readonly configMapRef?: { readonly name: string };
  }[];
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
  readonly readinessProbe?: Probe;
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } };
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly subPath?: string }[];
}

interface Files {
  readonly items?: readonly { readonly key: string; readonly path: string }[];
  readonly optional?: boolean;
}

export interface Source {
  readonly secret?: Files & { readonly secretName?: string; readonly name?: string };
  readonly configMap?: Files & { readonly name: string };
  readonly emptyDir?: object;
  readonly hostPath?: { readonly path: string };
  readonly persistentVolumeClaim?: { readonly claimName: string };
  readonly projected?: { readonly sources: readonly Source[] };
  readonly serviceAccountToken?: {
    readonly path: string;
    readonly audience?: string;
    readonly expirationSeconds?: number;
  };
  readonly downwardAPI?: {
    readonly items: readonly { readonly path: string; readonly fieldRef: { readonly fieldPath: string } }[];
  };
}

export interface Pod extends KubeObject {
  readonly metadata: Metadata & { readonly namespace: string; readonly uid: string };
  readonly spec: {
    readonly nodeName?: string;
    readonly serviceAccountName?: string;
    readonly restartPolicy?: string;
    readonly hostNetwork?: boolean;
    readonly terminationGracePeriodSeconds?: number;
    readonly containers: readonly Container[];
    readonly volumes?: readonly (Source & { readonly name: string })[];
  };
  readonly status?: { readonly phase?: string; readonly podIP?: string };
}

/** As `fieldRef` names them. */
export function fieldOf(
  pod: Pod,
  fieldPath: string,
  addresses: { readonly pod: string; readonly host: string },
): string {
  const { name, namespace, uid, labels = {}, annotations = {} } = pod.metadata;
  const [, map = "", key = ""] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(fieldPath) ?? [];
  if (map !== "") return (map === "labels" ? labels : annotations)[key] ?? "";
  const fields: Readonly<Record<string, string>> = {
    "metadata.name": name,
    "metadata.namespace": namespace,
    "metadata.uid": uid,
    "spec.nodeName": pod.spec.nodeName ?? "",
    "spec.serviceAccountName": pod.spec.serviceAccountName ?? "default",
    "status.podIP": addresses.pod,
    "status.hostIP": addresses.host,
  };
  const value = fields[fieldPath];
  if (value === undefined) throw new Error(`the stand-in for kubelet does not know the field ${fieldPath}`);
  return value;
}

export function portOf({ ports = [] }: Container, port: number | string): number {
  if (typeof port === "number") return port;
  const named = ports.find(({ name }) => name === port);
  if (named === undefined) throw new Error(`no port of the container has the name ${port}`);
  return named.containerPort;
}
