/** The cluster's webhook configurations: whom the apiserver trusts when it calls us, and the token by which we know it. */
import * as v from "valibot";
import type { KubernetesObjects } from "../../shared/kubernetes/objects.ts";
import { EntranceError } from "../../shared/model/error.ts";
import type { SecretText } from "../../shared/model/secret-text.ts";

const Configuration = v.object({
  webhooks: v.nullish(
    v.array(
      v.object({
        name: v.string(),
        clientConfig: v.object({
          caBundle: v.optional(v.string()),
          service: v.optional(v.object({ name: v.string(), namespace: v.string(), path: v.optional(v.string()) })),
        }),
      }),
    ),
    [],
  ),
});

/** `authorities`: absent where somebody else fills that in, as cert-manager does. One that is not there is left out. */
export async function introduce(
  objects: KubernetesObjects,
  name: string,
  token: SecretText | undefined,
  authorities: string | undefined,
): Promise<void> {
  const path = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${encodeURIComponent(name)}`;
  const what = `ValidatingWebhookConfiguration ${name}`;
  const json = await objects.get(path, what);
  if (json === undefined) return;
  const caBundle = authorities === undefined ? undefined : Buffer.from(authorities).toString("base64");
  const target = token === undefined ? "/admission" : `/admission/${encodeURIComponent(token.reveal())}`;
  const { webhooks } = v.parse(Configuration, json);
  const changed = (webhooks ?? []).flatMap(({ name: webhook, clientConfig: { caBundle: trusted, service } }) => {
    if (service === undefined) return [];
    const isSame = service.path === target && (caBundle === undefined || trusted === caBundle);
    const clientConfig = { ...(caBundle === undefined ? {} : { caBundle }), service: { ...service, path: target } };
    return isSame ? [] : [{ name: webhook, clientConfig }];
  });
  if (changed.length === 0 || (await objects.mergeByName(path, { webhooks: changed }, what)) !== "invalid") return;
  const reason = "the Kubernetes API does not take its path with ENTRANCE_WEBHOOK_TOKEN, or its caBundle";
  throw new EntranceError("misconfigured", `cannot patch ${what}: ${reason}`);
}
