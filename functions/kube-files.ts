/**
 * The Kubernetes API as Node reaches it: whom it trusts and who it is lie in files, which are read again and again, since
 * kubelet and certificate managers replace them while they are in use.
 */
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, fetch } from "undici";
import type { Access } from "../shared/kubernetes/access.ts";
import { EntranceError } from "../shared/model/error.ts";
import type { SecretText } from "../shared/model/secret-text.ts";
import { readAuthorities } from "./authorities.ts";
import type { KubeConfig } from "./kube-config.ts";
import { parseToken } from "./kube-config.ts";
import { readKubeconfig } from "./kubeconfig.ts";
import { type Pair, readPair } from "./pair.ts";
import type { Pem } from "./pem.ts";
import { readText } from "./setting-file.ts";

export interface KubeFiles {
  readonly url: string;
  /** Whose certificate it must have; undefined: that of the URL's host. */
  readonly serverName: string | undefined;
  readonly ca: Pem | undefined;
  readonly client: { readonly certificate: Pem; readonly key: Pem } | undefined;
  readonly token: SecretText | undefined;
  readonly tokenFile: string | undefined;
}

/** What was read lately is not read again. */
const freshMs = 20_000;
/** Read-back, the LIST and status side by side. */
const connections = 32;
const connectMs = 5_000;

/** Undefined: a pod without a service account. Throws `misconfigured` where a file can't be read. */
export function openKubeAccess(config: KubeConfig): Access | undefined {
  const files = filesOf(config);
  if (files === undefined) return undefined;
  const kept = new KeptFiles(files);
  return {
    url: files.url,
    // A package's fetch: the global one takes no other version's Agent.
    fetch: async (url, init) =>
      (await fetch(url, { ...init, dispatcher: kept.agent } as Parameters<typeof fetch>[1])) as unknown as Response,
    token: (isRefused) => kept.token(isRefused),
    wait: (ms) => sleep(ms),
  };
}

function filesOf(config: KubeConfig): KubeFiles | undefined {
  if (config.type === "kubeconfig") return readKubeconfig(config.file, config.context);
  const { url, token, tokenFile, ca, client, isPods } = config;
  if (isPods && tokenFile !== undefined && !existsSync(tokenFile)) return undefined;
  return {
    url,
    serverName: undefined,
    ca,
    client:
      client === undefined
        ? undefined
        : { certificate: { file: client.certificateFile }, key: { file: client.keyFile } },
    token,
    tokenFile,
  };
}

class KeptFiles {
  readonly #files: KubeFiles;
  #token: SecretText | undefined;
  #identity: string;
  #readAt: number;
  agent: Agent;

  constructor(files: KubeFiles) {
    this.#files = files;
    this.#token = readToken(files);
    const trust = readTrust(files);
    this.#identity = JSON.stringify(trust);
    this.agent = agentOf(files, trust);
    this.#readAt = performance.now();
  }

  async token(isRefused: boolean): Promise<SecretText | undefined> {
    if (isRefused || performance.now() - this.#readAt > freshMs) this.#again();
    return this.#token;
  }

  /** Some hundred bytes of a local disk. What can't be read, or is half written, leaves what there was. */
  #again(): void {
    this.#readAt = performance.now();
    try {
      // A pod's ends within the hour, whatever becomes of the other files.
      this.#token = readToken(this.#files);
      const trust = readTrust(this.#files);
      const identity = JSON.stringify(trust);
      if (identity === this.#identity) return;
      const [old, fresh] = [this.agent, agentOf(this.#files, trust)];
      this.agent = fresh;
      this.#identity = identity;
      // Requests that have begun end on it.
      void old.close();
    } catch (error) {
      if (!(error instanceof EntranceError)) throw error;
      console.warn(`entrance: ${error.message}: what was read before is used on`);
    }
  }
}

interface Trust {
  readonly ca: string | undefined;
  readonly pair: Pair | undefined;
}

function readToken({ token, tokenFile }: KubeFiles): SecretText | undefined {
  return tokenFile === undefined ? token : parseToken(readText("ENTRANCE_KUBE_TOKEN_FILE", tokenFile).trim());
}

function readTrust({ ca, client }: KubeFiles): Trust {
  return {
    ca: ca && readAuthorities("ENTRANCE_KUBE_CA", ca),
    pair: client && readPair(["ENTRANCE_KUBE_CERT", client.certificate], ["ENTRANCE_KUBE_KEY", client.key]),
  };
}

function agentOf({ serverName }: KubeFiles, { ca, pair }: Trust): Agent {
  return new Agent({
    connections,
    connect: {
      timeout: connectMs,
      ...(ca === undefined ? {} : { ca }),
      ...(pair === undefined ? {} : { cert: pair.certificate, key: pair.key }),
      ...(serverName === undefined ? {} : { servername: serverName }),
    },
  });
}
