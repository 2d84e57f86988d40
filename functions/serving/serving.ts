/** What a copy in a cluster serves its webhooks with: looked at again every minute, so that nothing has to be restarted. */
import type { KubernetesObjects } from "../../shared/kubernetes/objects.ts";
import { EntranceError } from "../../shared/model/error.ts";
import { readAuthorities } from "../authorities.ts";
import type { Config } from "../config.ts";
import { readPair } from "../pair.ts";
import { failSetting } from "../setting.ts";
import type { TlsConfig } from "../tls-config.ts";
import { issue } from "./issued.ts";
import { ensureCertificate, readSecret } from "./secret.ts";
import { introduce } from "./webhooks.ts";

export interface Served {
  readonly cert: string;
  readonly key: string;
  /** Who signs for callers: without any, a server that asks for certificates would trust all the world's. */
  readonly ca: string | undefined;
}

const everyMs = 60_000;

export class Serving {
  readonly #config: Config;
  readonly #objects: KubernetesObjects | undefined;
  #served: Served | undefined;
  /** Who signs for our certificate, where we made it ourselves: the cluster's webhooks are told. */
  #ours: string | undefined;
  #nodes: string | undefined;

  constructor(config: Config, objects: KubernetesObjects | undefined) {
    this.#config = config;
    this.#objects = objects;
  }

  /** Who signs for nodes that are found by a Service; undefined: whom the system trusts. */
  get nodeAuthorities(): string | undefined {
    return this.#nodes;
  }

  /** Undefined: it serves without TLS. Throws where there is nothing to serve with. */
  async first(): Promise<Served | undefined> {
    this.#served = await this.#read();
    if (this.#served === undefined && this.#config.clientAuthorities !== undefined) {
      failSetting("ENTRANCE_CLIENT_CA", "needs HTTPS, and ENTRANCE_TLS_SECRET a Kubernetes API: set ENTRANCE_KUBE_API");
    }
    await this.#introduce();
    return this.#served;
  }

  /** Tells of each certificate that follows the first. One at which `tell` throws is told again the next time. */
  follow(tell: (served: Served) => void): () => Promise<void> {
    const again = async () => {
      try {
        const served = await this.#read();
        // Whom to trust is known before it is needed.
        await this.#introduce();
        if (served !== undefined && !isSame(served, this.#served)) {
          tell(served);
          this.#served = served;
        }
      } catch (error) {
        // What there is serves on.
        console.warn(`entrance: its certificate: ${error instanceof Error ? error.message : String(error)}`);
      }
    };
    setInterval(() => void again(), everyMs).unref();
    return again;
  }

  async #read(): Promise<Served | undefined> {
    const { tls } = this.#config;
    if (tls === undefined) return undefined;
    if (tls.type === "files") return this.#readFiles(tls);
    if (this.#objects === undefined) return undefined;
    const kept = await ensureCertificate(this.#objects, tls.secret, tls.names, Date.now());
    this.#ours = kept["ca.crt"];
    this.#nodes =
      tls.nodes === undefined
        ? kept["ca.crt"]
        : await issue(this.#objects, tls.nodes.secret, tls.nodes.names, kept, Date.now());
    return { cert: kept["tls.crt"], key: kept["tls.key"], ca: this.#readClientAuthorities() };
  }

  async #readFiles({ certificateFile, keyFile, nodesSecret }: FilesConfig): Promise<Served> {
    if (nodesSecret !== undefined && this.#objects !== undefined) {
      // Whoever makes it may come later: until then no node is trusted. What was there stays.
      this.#nodes = (await readSecret(this.#objects, nodesSecret))?.kept["ca.crt"] ?? this.#nodes;
    }
    const pair = readPair(["ENTRANCE_TLS_CERT", { file: certificateFile }], ["ENTRANCE_TLS_KEY", { file: keyFile }]);
    return { cert: pair.certificate, key: pair.key, ca: this.#readClientAuthorities() };
  }

  /** What can't be read, or is half written, leaves what there was, and holds up no new certificate of ours. */
  #readClientAuthorities(): string | undefined {
    const { clientAuthorities } = this.#config;
    if (clientAuthorities === undefined) return undefined;
    try {
      return readAuthorities("ENTRANCE_CLIENT_CA", clientAuthorities);
    } catch (error) {
      if (this.#served === undefined || !(error instanceof EntranceError)) throw error;
      console.warn(`entrance: ${error.message}: what was read before is used on`);
      return this.#served.ca;
    }
  }

  async #introduce(): Promise<void> {
    const { webhookConfigurations, webhookTokens } = this.#config;
    if (this.#objects === undefined) return;
    for (const name of webhookConfigurations) {
      await introduce(this.#objects, name, webhookTokens[0], this.#ours);
    }
  }
}

type FilesConfig = TlsConfig & { readonly type: "files" };

/** A key without its certificate, or the other way round, is half of something new: whoever replaces them is not done. */
function isSame(one: Served, other: Served | undefined): boolean {
  return one.cert === other?.cert && one.key === other.key && one.ca === other.ca;
}
