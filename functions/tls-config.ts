/** What Entrance serves HTTPS with: files that somebody else replaces, or a Secret that it fills in by itself. */
import type { SecretText } from "../shared/model/secret-text.ts";
import { type Pem, pemOf } from "./pem.ts";
import { failSetting, type ReadSetting } from "./setting.ts";

export type TlsConfig =
  | {
      readonly type: "files";
      readonly certificateFile: string;
      readonly keyFile: string;
      /** What nodes serve their admin API with: its `ca.crt` is whom Entrance trusts there. */
      readonly nodesSecret: NamespacedName | undefined;
    }
  | {
      readonly type: "secret";
      readonly secret: NamespacedName;
      readonly names: readonly string[];
      /** What nodes serve their admin API with, by the same authority. */
      readonly nodes: { readonly secret: NamespacedName; readonly names: readonly string[] } | undefined;
    };

interface NamespacedName {
  readonly namespace: string;
  readonly name: string;
}

/** Undefined: it serves HTTP. */
export function readTlsConfig(text: ReadSetting): TlsConfig | undefined {
  const [certificateFile, keyFile, secret] = [
    text("ENTRANCE_TLS_CERT"),
    text("ENTRANCE_TLS_KEY"),
    text("ENTRANCE_TLS_SECRET"),
  ];
  const nodes = text("ENTRANCE_NODE_TLS_SECRET");
  if (secret !== undefined) {
    if (certificateFile !== undefined || keyFile !== undefined) {
      failSetting("ENTRANCE_TLS_SECRET", "and ENTRANCE_TLS_CERT say the same: set one of them");
    }
    const { namespace, name } = parseName("ENTRANCE_SERVICE", text("ENTRANCE_SERVICE") ?? "entrance/entrance");
    return {
      type: "secret",
      secret: parseName("ENTRANCE_TLS_SECRET", secret),
      names: namesOf({ namespace, name }),
      nodes: nodes === undefined ? undefined : nodesOf(nodes, text("ENTRANCE_NODE_SERVICE")),
    };
  }
  if (certificateFile === undefined && keyFile === undefined) return undefined;
  if (certificateFile === undefined) return failSetting("ENTRANCE_TLS_CERT", "is needed beside ENTRANCE_TLS_KEY");
  if (keyFile === undefined) return failSetting("ENTRANCE_TLS_KEY", "is needed beside ENTRANCE_TLS_CERT");
  const nodesSecret = nodes === undefined ? undefined : parseName("ENTRANCE_NODE_TLS_SECRET", nodes);
  return { type: "files", certificateFile, keyFile, nodesSecret };
}

function nodesOf(secret: string, service: string | undefined) {
  if (service === undefined) return failSetting("ENTRANCE_NODE_SERVICE", "is needed beside ENTRANCE_NODE_TLS_SECRET");
  const names = namesOf(parseName("ENTRANCE_NODE_SERVICE", service));
  return { secret: parseName("ENTRANCE_NODE_TLS_SECRET", secret), names };
}

function namesOf({ namespace, name }: NamespacedName): readonly string[] {
  return ["svc", "svc.cluster.local"].map((suffix) => `${name}.${namespace}.${suffix}`);
}

/** Who signs for the webhooks' callers. */
export function readClientSetting(text: ReadSetting, tls: TlsConfig | undefined): Pem | undefined {
  const pem = pemOf(text("ENTRANCE_CLIENT_CA"));
  return pem === undefined || tls !== undefined
    ? pem
    : failSetting(
        "ENTRANCE_CLIENT_CA",
        "needs HTTPS served by Node: set ENTRANCE_TLS_CERT and ENTRANCE_TLS_KEY, or ENTRANCE_TLS_SECRET",
      );
}

/** Objects that a person has made: a handful. */
const maxConfigurations = 8;

/** What the Kubernetes API takes in a path between two slashes: a subdomain of RFC 1123. */
const isStep = /^(?=.{1,253}$)[a-z0-9]+(?:(?:-+|\.)[a-z0-9]+)*$/;

/** The ValidatingWebhookConfigurations that Entrance keeps in order, with `token` in their paths. */
export function readWebhookConfigurations(text: ReadSetting, token: SecretText | undefined): readonly string[] {
  const names = (text("ENTRANCE_WEBHOOKS") ?? "")
    .split(",")
    .flatMap((part) => (part.trim() === "" ? [] : [part.trim()]));
  if (names.length > maxConfigurations || !names.every((name) => isName.test(name))) {
    failSetting("ENTRANCE_WEBHOOKS", `must have at most ${maxConfigurations} names with commas between`);
  }
  if (names.length > 0 && token !== undefined && !isStep.test(token.reveal())) {
    failSetting(
      "ENTRANCE_WEBHOOK_TOKEN",
      "is written into paths (ENTRANCE_WEBHOOKS) that take lower-case letters, digits, inner hyphens and dots alone, 253 at most: make one by openssl rand -hex 24",
    );
  }
  return names;
}

const isName = /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/;

function parseName(setting: string, text: string): NamespacedName {
  const [namespace = "", name = "", ...rest] = text.split("/");
  return isName.test(namespace) && isName.test(name) && rest.length === 0
    ? { namespace, name }
    : failSetting(setting, "must be NAMESPACE/NAME");
}
