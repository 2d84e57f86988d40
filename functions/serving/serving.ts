/** What a copy in a cluster serves its webhooks with: looked at again every minute, so that nothing has to be restarted. */
import { readFileSync } from "node:fs";
import type { KubernetesObjects } from "../../shared/kubernetes/objects.ts";
import type { Config } from "../config.ts";
import { issue } from "./issued.ts";
import { ensureCertificate } from "./secret.ts";
import { introduce } from "./webhooks.ts";

export interface Served {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

const everyMs = 60_000;

export class Serving {
  readonly #config: Config;
  readonly #objects: KubernetesObjects | undefined;
  #served: Served | undefined;
  #authorities: string | undefined;

  constructor(config: Config, objects: KubernetesObjects | undefined) {
    this.#config = config;
    this.#objects = objects;
  }

  /** Those of our own making; undefined: there are none. */
  get authorities(): string | undefined {
    return this.#authorities;
  }

  /** Undefined: it serves without TLS. Throws where there is nothing to serve with. */
  async first(): Promise<Served | undefined> {
    this.#served = await this.#read();
    await this.#introduce();
    return this.#served;
  }

  /** Tells of each certificate that follows the first. */
  follow(tell: (served: Served) => void): () => Promise<void> {
    const again = async () => {
      try {
        const served = await this.#read();
        if (served !== undefined && String(served.cert) !== String(this.#served?.cert)) {
          this.#served = served;
          tell(served);
        }
        await this.#introduce();
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
    if (tls.type === "files") return { cert: readFileSync(tls.certificateFile), key: readFileSync(tls.keyFile) };
    if (this.#objects === undefined) return undefined;
    const kept = await ensureCertificate(this.#objects, tls.secret, tls.names, Date.now());
    this.#authorities = kept["ca.crt"];
    if (tls.nodes !== undefined) await issue(this.#objects, tls.nodes.secret, tls.nodes.names, kept, Date.now());
    return { cert: kept["tls.crt"], key: kept["tls.key"] };
  }

  async #introduce(): Promise<void> {
    const { webhookConfigurations, webhookTokens } = this.#config;
    if (this.#objects === undefined) return;
    for (const name of webhookConfigurations) {
      await introduce(this.#objects, name, webhookTokens[0], this.#authorities);
    }
  }
}
