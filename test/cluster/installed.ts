/** Entrance, installed by its own manifests as they are: its pods run, and the apiserver asks them. */
import { globSync, readFileSync } from "node:fs";
import { request as askHttps } from "node:https";
import path from "node:path";
import type { Status } from "../../functions/status.ts";
import { root } from "../../infra/wrangler.ts";
import { sealKey } from "../harness/secrets.ts";
import { Api, type KubeObject, until } from "./api.ts";
import { adminToken } from "./control-plane.ts";
import type { Facts } from "./field.ts";
import { kubectl } from "./kubectl.ts";

export const webhookToken = "a-token-of-the-tests-webhooks";
const operatorToken = "a-token-of-the-tests-operators";

export interface InstallOptions {
  /** Admin URLs. */
  readonly nodes: readonly string[];
  readonly nodeKey: string;
  readonly settings?: Readonly<Record<string, string>>;
}

interface PodStatus {
  readonly podIP?: string;
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
}

let installations = 0;

export class Installed {
  readonly api: Api;
  readonly #facts: Facts;

  constructor(facts: Facts) {
    this.#facts = facts;
    this.api = new Api(facts.url, facts.caFile, adminToken);
  }

  static async install(facts: Facts, options: InstallOptions): Promise<Installed> {
    const made = new Installed(facts);
    await made.#install(options);
    return made;
  }

  async #install({ nodes, nodeKey, settings = {} }: InstallOptions): Promise<void> {
    installations += 1;
    const { api } = this;
    await api.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "entrance" } });
    await api.apply({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "entrance-settings", namespace: "entrance" },
      data: {
        ENTRANCE_STORE: "etcd",
        ENTRANCE_ETCD_ENDPOINTS: this.#facts.store,
        // A store of its own for each.
        ENTRANCE_ETCD_PREFIX: `test-${process.pid}-${installations}`,
        ENTRANCE_BALANCERS: JSON.stringify([{ name: "openresty", nodes, addresses: ["203.0.113.10"] }]),
        ...settings,
      },
    });
    await api.apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "entrance-keys", namespace: "entrance" },
      stringData: {
        ENTRANCE_WEBHOOK_TOKEN: webhookToken,
        ENTRANCE_OPERATOR_TOKEN: operatorToken,
        ENTRANCE_NODE_KEY: nodeKey,
        ENTRANCE_SEAL_KEY: sealKey,
      },
    });
    const applied = await kubectl(this.#facts, ["apply", "-k", path.join(root, "infra/kubernetes")]);
    if (applied.code !== 0) throw new Error(`kubectl apply -k: ${applied.err}`);
    await this.ready();
  }

  /** All copies answer, and the apiserver can call them. */
  async ready(): Promise<void> {
    const deployment: KubeObject = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "entrance", namespace: "entrance" },
    };
    try {
      await until(
        "all copies of Entrance are ready",
        async () => {
          const found = await this.api.get(deployment);
          const { replicas = 0 } = (found?.["spec"] ?? {}) as { replicas?: number };
          const {
            readyReplicas = 0,
            updatedReplicas = 0,
            replicas: all = 0,
          } = (found?.["status"] ?? {}) as Record<string, number>;
          const isSaid = readyReplicas === replicas && updatedReplicas === replicas && all === replicas;
          // Of pods that were lost a moment ago its status still tells; they themselves are not listed any more.
          return isSaid && (await this.addresses()).length >= replicas;
        },
        90_000,
      );
    } catch (error) {
      throw new Error(`${String(error)}\n${this.logs()}`);
    }
    await until("the apiserver knows how to call Entrance", async () => {
      const kind = "ValidatingWebhookConfiguration";
      const found = await this.api.get({
        apiVersion: "admissionregistration.k8s.io/v1",
        kind,
        metadata: { name: "entrance" },
      });
      const webhooks = (found?.["webhooks"] ?? []) as { clientConfig: { caBundle?: string } }[];
      return webhooks.length > 0 && webhooks.every(({ clientConfig }) => clientConfig.caBundle !== undefined);
    });
  }

  /** Addresses of all copies that are ready. */
  async addresses(): Promise<string[]> {
    const path = "/api/v1/namespaces/entrance/pods?labelSelector=app.kubernetes.io%2Fname%3Dentrance";
    const { items } = await this.api.list(path);
    return items.flatMap(({ metadata, status }) => {
      const { podIP, conditions = [] } = (status ?? {}) as PodStatus;
      const isReady = conditions.some((condition) => condition.type === "Ready" && condition.status === "True");
      return podIP === undefined || !isReady || metadata.deletionTimestamp !== undefined ? [] : [podIP];
    });
  }

  async status(): Promise<Status> {
    return (await askEntrance(await this.#anyAddress(), "/status")) as Status;
  }

  /** A LIST of everything, now. */
  async resync(): Promise<void> {
    await askEntrance(await this.#anyAddress(), "/resync", "POST");
  }

  #anyAddress(): Promise<string> {
    return until("a copy of Entrance is ready", async () => (await this.addresses())[0]);
  }

  /** What each pod has said last, so many characters of it. */
  logs(characters = 4_000): string {
    const files = globSync(path.join(this.#facts.folder, "pods/entrance_entrance-*/entrance.log"));
    return files.map((file) => `${file}\n${readFileSync(file, "utf8").slice(-characters)}`).join("\n");
  }

  /** As the guide says. */
  async remove(): Promise<void> {
    const removed = await kubectl(this.#facts, [
      "delete",
      "-k",
      path.join(root, "infra/kubernetes"),
      "--ignore-not-found",
      "--timeout=90s",
    ]);
    if (removed.code !== 0) throw new Error(`kubectl delete -k: ${removed.err}`);
  }
}

/** One copy, with the operators' token. */
export function askEntrance(address: string, path: string, method = "GET"): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${operatorToken}` };
    const request = askHttps(
      { host: address, port: 8443, path, method, headers, rejectUnauthorized: false },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          resolve(text.startsWith("{") ? JSON.parse(text) : text);
        });
      },
    );
    request.on("error", reject);
    request.end();
  });
}
