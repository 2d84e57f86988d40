/** Which Kubernetes API, and how it is reached. */
import { SecretText } from "../shared/model/secret-text.ts";
import { type Pem, pemOf } from "./pem.ts";
import { failSetting, type ReadSetting } from "./setting.ts";

export type KubeConfig =
  /** Said by settings, or found in a pod. */
  | {
      readonly type: "direct";
      readonly url: string;
      readonly token: SecretText | undefined;
      readonly tokenFile: string | undefined;
      readonly ca: Pem | undefined;
      readonly client: { readonly certificateFile: string; readonly keyFile: string } | undefined;
      /** The pod's own: where its files are missing it has no service account, and so no API. */
      readonly isPods: boolean;
    }
  | { readonly type: "kubeconfig"; readonly file: string; readonly context: string | undefined };

const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Undefined: there is none, or `ENTRANCE_KUBE_API=none`. */
export function readKubeConfig(text: ReadSetting): KubeConfig | undefined {
  const api = text("ENTRANCE_KUBE_API");
  if (api === "none") return undefined;
  const file = text("ENTRANCE_KUBECONFIG");
  if (file !== undefined) {
    if (api !== undefined) failSetting("ENTRANCE_KUBE_API", "and ENTRANCE_KUBECONFIG say the same: set one of them");
    return { type: "kubeconfig", file, context: text("ENTRANCE_KUBE_CONTEXT") };
  }
  const pods = podsApi(text);
  const url = api === undefined ? pods : parseUrl(api);
  if (url === undefined) return undefined;
  const isPods = api === undefined;
  const token = text("ENTRANCE_KUBE_TOKEN");
  const tokenFile = text("ENTRANCE_KUBE_TOKEN_FILE");
  if (token !== undefined && tokenFile !== undefined) {
    failSetting("ENTRANCE_KUBE_TOKEN", "and ENTRANCE_KUBE_TOKEN_FILE say the same: set one of them");
  }
  const client = readClient(text("ENTRANCE_KUBE_CERT"), text("ENTRANCE_KUBE_KEY"));
  const isAnonymous = token === undefined && tokenFile === undefined && client === undefined;
  return {
    type: "direct",
    url,
    token: token === undefined ? undefined : parseToken(token),
    tokenFile: tokenFile ?? (isPods && isAnonymous ? `${serviceAccount}/token` : undefined),
    ca: pemOf(text("ENTRANCE_KUBE_CA") ?? (isPods ? `${serviceAccount}/ca.crt` : undefined)),
    client,
    isPods,
  };
}

/** Kubernetes puts these into the environment of every pod. */
function podsApi(text: ReadSetting): string | undefined {
  const host = text("KUBERNETES_SERVICE_HOST");
  const port = text("KUBERNETES_SERVICE_PORT") ?? "443";
  if (host === undefined) return undefined;
  return parseUrl(`https://${host.includes(":") ? `[${host}]` : host}:${port}`);
}

function parseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === "https:" || url?.protocol === "http:";
  if (url === undefined || !isHttp || url.username !== "" || url.password !== "" || url.search + url.hash !== "") {
    return failSetting("ENTRANCE_KUBE_API", "must be a URL like https://10.0.0.1:6443 (no user, no query), or none");
  }
  return url.href.replace(/\/+$/, "");
}

/** What may stand in a header. */
export function parseToken(text: string): SecretText {
  if (!/^[\x21-\x7e]{1,16384}$/.test(text))
    failSetting("ENTRANCE_KUBE_TOKEN", "must have visible ASCII characters only");
  return new SecretText(text);
}

function readClient(certificateFile: string | undefined, keyFile: string | undefined) {
  if (certificateFile === undefined && keyFile === undefined) return undefined;
  if (certificateFile === undefined) return failSetting("ENTRANCE_KUBE_CERT", "is needed beside ENTRANCE_KUBE_KEY");
  if (keyFile === undefined) return failSetting("ENTRANCE_KUBE_KEY", "is needed beside ENTRANCE_KUBE_CERT");
  return { certificateFile, keyFile };
}
