/** How the API server calls a kind: its group, version and plural, and whether it lies in a namespace. */

export interface ApiResource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly resource: string;
  readonly namespaced: boolean;
}

/** Kinds without a namespace that somebody may want to send; what is not named here is taken to have one. */
const clusterScoped = new Set([
  "Namespace",
  "Node",
  "PersistentVolume",
  "IngressClass",
  "GatewayClass",
  "StorageClass",
  "PriorityClass",
  "ClusterRole",
  "ClusterRoleBinding",
  "CustomResourceDefinition",
  "ValidatingWebhookConfiguration",
  "MutatingWebhookConfiguration",
]);

export function apiResource(apiVersion: string, kind: string): ApiResource {
  const [group, version] = apiVersion.includes("/") ? apiVersion.split("/", 2) : ["", apiVersion];
  return {
    group: group ?? "",
    version: version ?? "",
    kind,
    resource: plural(kind.toLowerCase()),
    namespaced: !clusterScoped.has(kind),
  };
}

/** The API's own folder, with the object's name where it is known. */
export function resourcePath({ group, version, resource }: ApiResource, namespace: string, name = ""): string {
  const base = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const folder = namespace === "" ? `${base}/${resource}` : `${base}/namespaces/${namespace}/${resource}`;
  return name === "" ? folder : `${folder}/${name}`;
}

function plural(kind: string): string {
  if (kind === "endpoints") return kind;
  if (/(s|x|ch|sh)$/.test(kind)) return `${kind}es`;
  if (/[^aeiou]y$/.test(kind)) return `${kind.slice(0, -1)}ies`;
  return `${kind}s`;
}
