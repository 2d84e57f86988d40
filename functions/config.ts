/** The only reader of the environment: settings by name, checked, with a sentence for what must change. */
import * as v from "valibot";
import { parseHost } from "../shared/model/host.ts";
import { parseWith } from "../shared/model/parse.ts";
import { parsePortNumber } from "../shared/model/port-number.ts";
import { SecretText } from "../shared/model/secret-text.ts";
import { sealKeyId } from "../shared/sealing/seal-key.ts";
import type { TranslationSettings } from "../shared/translate/translation.ts";
import { type KubeConfig, readKubeConfig } from "./kube-config.ts";
import { type Pem, pemOf } from "./pem.ts";
import { failSetting, type ReadSetting } from "./setting.ts";
import { readStoreConfig, type StoreConfig } from "./store-config.ts";
import { readClientSetting, readTlsConfig, readWebhookConfigurations, type TlsConfig } from "./tls-config.ts";

/** What an entry hands in: process.env, or a worker's bindings. Other than text is ignored (a worker's objects). */
export type Environment = Readonly<Record<string, unknown>>;

export interface BalancerConfig {
  readonly name: string;
  readonly plugin: "openresty";
  readonly classes: readonly string[];
  readonly nodes: readonly string[];
  /** Whose endpoints are nodes as well. */
  readonly service?: NodeService;
  readonly addresses: readonly string[];
}

export interface NodeService {
  readonly namespace: string;
  readonly name: string;
  /** A port's name. */
  readonly port: string;
}

export interface Listen {
  readonly host: string;
  readonly port: number;
  /** Decided by the configured address alone, never by who calls. */
  readonly loopback: boolean;
}

export interface Config {
  readonly listen: Listen;
  readonly tls: TlsConfig | undefined;
  /** A caller of the webhooks with a certificate that one of these has signed needs no token. */
  readonly clientAuthorities: Pem | undefined;
  /** The cluster's ValidatingWebhookConfigurations that Entrance tells how it is called. */
  readonly webhookConfigurations: readonly string[];
  readonly store: StoreConfig;
  /** Directory of the Node host's embedded store. */
  readonly dataDirectory: string;
  readonly balancers: readonly BalancerConfig[];
  /** Of these settings; of copies that differ the ones with the greatest count. */
  readonly generation: number;
  readonly prefix: string;
  readonly httpSuffix: string | undefined;
  readonly publicHttpsPort: number | undefined;
  /** Empty: callers need no token, which only a listener on loopback may say. */
  readonly webhookTokens: readonly SecretText[];
  /** Who may look, and change the store: the webhooks' where no others are set. */
  readonly operatorTokens: readonly SecretText[];
  readonly nodeKey: SecretText | undefined;
  /** Who signs for nodes whose URLs are https, beside those whom the system trusts. */
  readonly nodeAuthorities: Pem | undefined;
  /** The first seals what is secret, all of them open it; empty: no private key and no password is kept. */
  readonly sealKeys: readonly SecretText[];
  /** Undefined: nothing is read back, and what a webhook was asked counts as seen. */
  readonly kubernetes: KubeConfig | undefined;
  /** Everything is listed this often from that API. */
  readonly listMs: number;
}

/** Reads all settings. Throws `misconfigured` with the setting's name and what to change; never with its value. */
export function readConfig(environment: Environment): Config {
  const text: ReadSetting = (name) => {
    const value = environment[name];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const listen = parseListen(text("ENTRANCE_LISTEN") ?? "127.0.0.1:8787");
  const webhookTokens = secrets("ENTRANCE_WEBHOOK_TOKEN", text("ENTRANCE_WEBHOOK_TOKEN"));
  if (webhookTokens.length === 0 && !listen.loopback) {
    failSetting(
      "ENTRANCE_WEBHOOK_TOKEN",
      "is needed unless ENTRANCE_LISTEN is a loopback address: set a token of your own",
    );
  }
  const operatorTokens = secrets("ENTRANCE_OPERATOR_TOKEN", text("ENTRANCE_OPERATOR_TOKEN"));
  if (operatorTokens.some((each) => webhookTokens.some((other) => other.reveal() === each.reveal()))) {
    failSetting(
      "ENTRANCE_OPERATOR_TOKEN",
      "has a token of ENTRANCE_WEBHOOK_TOKEN, which many can read: set another one",
    );
  }
  const tls = readTlsConfig(text);
  return {
    listen,
    tls,
    clientAuthorities: readClientSetting(text, tls),
    webhookConfigurations: readWebhookConfigurations(text, webhookTokens[0]),
    store: readStoreConfig(text),
    dataDirectory: text("ENTRANCE_DATA") ?? ".entrance/data",
    balancers: parseBalancers(text("ENTRANCE_BALANCERS")),
    prefix: parsePrefix(text("ENTRANCE_PREFIX") ?? "entrance.dev"),
    httpSuffix: parseSuffix(text("ENTRANCE_HTTP_SUFFIX")),
    publicHttpsPort: parsePort("ENTRANCE_PUBLIC_HTTPS_PORT", text("ENTRANCE_PUBLIC_HTTPS_PORT")),
    generation: parseGeneration(text("ENTRANCE_GENERATION") ?? "0"),
    webhookTokens,
    operatorTokens: operatorTokens.length > 0 ? operatorTokens : webhookTokens,
    // A node takes two valid keys so that they can be changed; a caller uses the first.
    nodeKey: secrets("ENTRANCE_NODE_KEY", text("ENTRANCE_NODE_KEY"))[0],
    nodeAuthorities: pemOf(text("ENTRANCE_NODE_CA")),
    sealKeys: secrets("ENTRANCE_SEAL_KEY", text("ENTRANCE_SEAL_KEY")),
    kubernetes: readKubeConfig(text),
    listMs: parseListSeconds(text("ENTRANCE_LIST_SECONDS") ?? "300") * 1_000,
  };
}

/** The settings that a translation reads. */
export function translationSettings(config: Config): TranslationSettings {
  return {
    balancers: config.balancers.map(({ name, classes }) => ({ name, classes })),
    prefix: config.prefix,
    ...(config.httpSuffix === undefined ? {} : { httpSuffix: config.httpSuffix }),
    ...(config.sealKeys.length === 0 ? {} : { sealKeys: config.sealKeys.map(sealKeyId) }),
  };
}

const isNodeService = /^([a-z0-9-]{1,63})\/([a-z0-9-]{1,63}):([a-z0-9-]{1,63})$/;

const name = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "a name has letters, digits and inner hyphens"),
);

/** One balancer has at most so many nodes: each gets a request of its own for every change. */
export const maxNodes = 1_000;

/** One object may be on all of them in one commit: each takes three of its 40 keys (head, log, and the log's trimming). */
const maxBalancers = 8;

const balancers = v.pipe(
  v.array(
    v.strictObject({
      name,
      plugin: v.optional(v.literal("openresty", "the plugin is openresty"), "openresty"),
      classes: v.optional(v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(253))), v.maxLength(32)), [
        "entrance",
      ]),
      nodes: v.optional(v.pipe(v.array(v.string()), v.maxLength(maxNodes)), []),
      service: v.optional(
        v.pipe(v.string(), v.regex(isNodeService, 'a service is "NAMESPACE/NAME:PORT", its port by name')),
      ),
      addresses: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(253))), v.maxLength(64)), []),
    }),
  ),
  v.minLength(1, "at least one balancer is needed"),
  v.maxLength(maxBalancers, `at most ${maxBalancers} balancers`),
  v.check((list) => new Set(list.map((each) => each.name)).size === list.length, "two balancers have one name"),
);

function parseBalancers(text: string | undefined): BalancerConfig[] {
  if (text === undefined) {
    const nodes = ["http://127.0.0.1:10002"];
    return [{ name: "openresty", plugin: "openresty", classes: ["entrance"], nodes, addresses: [] }];
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return failSetting("ENTRANCE_BALANCERS", 'must be JSON: [{"name":"openresty","nodes":["http://127.0.0.1:10002"]}]');
  }
  const parsed = parseWith(balancers, value);
  if (!parsed.ok) return failSetting("ENTRANCE_BALANCERS", `cannot be used: ${parsed.reason}`);
  return parsed.value.map(({ service, ...each }) => ({
    ...each,
    nodes: each.nodes.map(parseNode),
    ...(service === undefined ? {} : { service: parseNodeService(service) }),
  }));
}

function parseNodeService(text: string): NodeService {
  const [, namespace = "", name = "", port = ""] = isNodeService.exec(text) ?? [];
  return { namespace, name, port };
}

/** A node's URL is its name in the store and in the status, so it must not carry a secret. */
function parseNode(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const usable = url !== undefined && (url.protocol === "http:" || url.protocol === "https:") && url.username === "";
  if (!usable || url.password !== "" || url.pathname !== "/" || url.search !== "" || url.hash !== "") {
    return failSetting(
      "ENTRANCE_BALANCERS",
      "has a node that is no URL like http://10.0.0.5:10002 (no user, path or query)",
    );
  }
  return url.origin;
}

function parseListen(text: string): Listen {
  // A pod's own address comes without brackets.
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s]*|[0-9a-fA-F:]*:[0-9a-fA-F:]*)):([0-9]+)$/.exec(text);
  const port = parsePortNumber(match?.[3] ?? "");
  const host = match?.[1] ?? match?.[2] ?? "";
  if (match === null || !port.ok)
    return failSetting("ENTRANCE_LISTEN", "must be ADDRESS:PORT, like 127.0.0.1:8787 or [::1]:8787");
  const loopback = host === "localhost" || host === "::1" || /^127(\.[0-9]{1,3}){3}$/.test(host);
  return { host: host === "" ? "0.0.0.0" : host, port: port.value, loopback };
}

function parseGeneration(text: string): number {
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  return failSetting("ENTRANCE_GENERATION", "must be a whole number, one greater with each change of the settings");
}

/** One LIST is to be over before the next one begins; and without reviews and audit nothing else finds a change. */
const listSeconds = { least: 10, most: 3_600 } as const;

function parseListSeconds(text: string): number {
  const seconds = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (seconds >= listSeconds.least && seconds <= listSeconds.most) return seconds;
  return failSetting("ENTRANCE_LIST_SECONDS", `must be ${listSeconds.least} to ${listSeconds.most}`);
}

function parsePrefix(text: string): string {
  const host = parseHost(text);
  if (host.ok && host.value === text && !text.includes("*") && text.includes(".")) return text;
  return failSetting("ENTRANCE_PREFIX", "must be a DNS name like entrance.dev");
}

function parseSuffix(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const host = parseHost(text);
  return host.ok && !host.value.includes("*")
    ? host.value
    : failSetting("ENTRANCE_HTTP_SUFFIX", "must be a DNS name like apps.example");
}

function parsePort(setting: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = parsePortNumber(text);
  return port.ok ? port.value : failSetting(setting, port.reason);
}

/** Two valid at once, so that one can be replaced by the other. */
function secrets(setting: string, text: string | undefined): SecretText[] {
  const parts = text === undefined ? [] : text.split(",").map((part) => part.trim());
  if (parts.length > 2)
    failSetting(setting, "has more than two values: one, or the old and the new one with a comma between");
  return parts.map((part) => {
    if (!/^[\x21-\x7e]{16,512}$/.test(part)) failSetting(setting, "must have 16 to 512 visible ASCII characters");
    return new SecretText(part);
  });
}
