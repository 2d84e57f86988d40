/** Whatever an installation made, and where it may still be. */
import type { Api } from "./api.ts";

const everywhere: Readonly<Record<string, string>> = {
  ValidatingWebhookConfiguration: "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
  MutatingWebhookConfiguration: "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
  CustomResourceDefinition: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
  ClusterRole: "/apis/rbac.authorization.k8s.io/v1/clusterroles",
  ClusterRoleBinding: "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
  Role: "/apis/rbac.authorization.k8s.io/v1/roles",
  RoleBinding: "/apis/rbac.authorization.k8s.io/v1/rolebindings",
  IngressClass: "/apis/networking.k8s.io/v1/ingressclasses",
  Namespace: "/api/v1/namespaces",
  Service: "/api/v1/services",
  ServiceAccount: "/api/v1/serviceaccounts",
  ConfigMap: "/api/v1/configmaps",
  Secret: "/api/v1/secrets",
  Deployment: "/apis/apps/v1/deployments",
  DaemonSet: "/apis/apps/v1/daemonsets",
  StatefulSet: "/apis/apps/v1/statefulsets",
  CronJob: "/apis/batch/v1/cronjobs",
  PodDisruptionBudget: "/apis/policy/v1/poddisruptionbudgets",
  NetworkPolicy: "/apis/networking.k8s.io/v1/networkpolicies",
  PersistentVolumeClaim: "/api/v1/persistentvolumeclaims",
};

/** `KIND NAMESPACE/NAME` of all that is Entrance's by name or by namespace; nothing has a finalizer of ours, so none waits. */
export async function leftOver(api: Api): Promise<string[]> {
  const found: string[] = [];
  for (const [kind, path] of Object.entries(everywhere)) {
    const { items } = await api.list(path);
    for (const { metadata } of items) {
      const { name, namespace = "" } = metadata;
      if (/^entrance/.test(name) || /^entrance/.test(namespace)) found.push(`${kind} ${namespace}/${name}`);
    }
  }
  return found;
}
