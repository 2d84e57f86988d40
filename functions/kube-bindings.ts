/** The Kubernetes API as a worker reaches it: by what its bindings say, since it has no files. */
import type { Access } from "../shared/kubernetes/access.ts";
import type { KubeConfig } from "./kube-config.ts";
import { failSetting } from "./setting.ts";

/** Throws `misconfigured` for what only a process with files can do. */
export function workerAccess(config: KubeConfig | undefined): Access | undefined {
  if (config === undefined) return undefined;
  if (config.type === "kubeconfig") return failSetting("ENTRANCE_KUBECONFIG", noFiles);
  const { url, token, tokenFile, ca, client } = config;
  if (tokenFile !== undefined) failSetting("ENTRANCE_KUBE_TOKEN_FILE", noFiles);
  if (ca !== undefined)
    failSetting("ENTRANCE_KUBE_CA", "is for Node and Lambda: a worker trusts whom workerd does (NODE_EXTRA_CA_CERTS)");
  if (client !== undefined) failSetting("ENTRANCE_KUBE_CERT", noFiles);
  return {
    url,
    fetch: (target, init) => fetch(target, init),
    token: async () => token,
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  };
}

const noFiles =
  "is a file, which a worker has not: set ENTRANCE_KUBE_API and ENTRANCE_KUBE_TOKEN, or run Entrance in Node";
