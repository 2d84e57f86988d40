/** The cluster's API for tests: as the administrator, or as whoever has the token. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, fetch } from "undici";

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: Metadata;
  readonly [field: string]: unknown;
}

interface KubeList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly KubeObject[];
}

interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: KubeObject;
}

export interface ApiAnswer {
  readonly status: number;
  readonly json: unknown;
  /** As kubectl prints them. */
  readonly warnings: readonly string[];
}

/** Where the objects of a kind are, by `apiVersion/kind`. */
const plurals: Readonly<Record<string, string>> = {
  Ingress: "ingresses",
  IngressClass: "ingressclasses",
  EndpointSlice: "endpointslices",
};
const clusterWide = new Set(["Namespace", "Node", "IngressClass", "ValidatingWebhookConfiguration", "ClusterRole"]);

export class Api {
  readonly url: string;
  readonly #token: string;
  readonly #agent: Agent;

  constructor(url: string, caFile: string, token: string) {
    this.url = url;
    this.#token = token;
    this.#agent = new Agent({ connect: { ca: readFileSync(caFile, "utf8") }, connections: 64, bodyTimeout: 0 });
  }

  async ask(method: string, path: string, body?: unknown, type = "application/json"): Promise<ApiAnswer> {
    const response = await fetch(this.url + path, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, ...(body === undefined ? {} : { "content-type": type }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      dispatcher: this.#agent,
    });
    const text = await response.text();
    const json: unknown = text.startsWith("{") ? JSON.parse(text) : text;
    const warning = response.headers.get("warning") ?? "";
    return {
      status: response.status,
      json,
      warnings: [...warning.matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, said = ""]) => said),
    };
  }

  /** Throws unless it is done. */
  async must(method: string, path: string, body?: unknown, type?: string): Promise<KubeObject> {
    const { status, json } = await this.ask(method, path, body, type);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(json)}`);
    return json as KubeObject;
  }

  async isReady(): Promise<boolean> {
    return this.ask("GET", "/readyz").then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  /** Server-side apply, whatever there was. */
  apply(object: KubeObject): Promise<ApiAnswer> {
    const path = `${pathOf(object)}?fieldManager=test&force=true`;
    return this.ask("PATCH", path, object, "application/apply-patch+yaml");
  }

  /** All of them are taken. */
  async applyAll(...objects: readonly KubeObject[]): Promise<void> {
    for (const object of objects) {
      const { status, json } = await this.apply(object);
      if (status >= 300) throw new Error(`${object.kind} ${object.metadata.name}: ${status} ${JSON.stringify(json)}`);
    }
  }

  async create(object: KubeObject): Promise<KubeObject> {
    return this.must("POST", collectionOf(object), object);
  }

  /** Undefined: there is none. */
  async get(object: KubeObject): Promise<KubeObject | undefined> {
    const { status, json } = await this.ask("GET", pathOf(object));
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`GET ${pathOf(object)}: ${status}`);
    return json as KubeObject;
  }

  async merge(object: KubeObject, patch: unknown, subresource = ""): Promise<KubeObject> {
    return this.must("PATCH", pathOf(object) + subresource, patch, "application/merge-patch+json");
  }

  async delete(object: KubeObject, options: Readonly<Record<string, unknown>> = {}): Promise<number> {
    const body = { apiVersion: "v1", kind: "DeleteOptions", ...options };
    return (await this.ask("DELETE", pathOf(object), body)).status;
  }

  async list(path: string): Promise<KubeList> {
    return (await this.must("GET", path)) as unknown as KubeList;
  }

  /** All that there is, then all that happens; begins anew where the API breaks off. Ends with the signal. */
  async watch(path: string, signal: AbortSignal, tell: (event: WatchEvent) => void): Promise<void> {
    while (!signal.aborted) {
      try {
        const { items, metadata } = await this.list(path);
        for (const object of items) tell({ type: "ADDED", object });
        await this.#follow(path, metadata.resourceVersion, signal, tell);
      } catch {
        if (!signal.aborted) await sleep(100);
      }
    }
  }

  async #follow(path: string, version: string, signal: AbortSignal, tell: (event: WatchEvent) => void): Promise<void> {
    const query = `${path.includes("?") ? "&" : "?"}watch=1&resourceVersion=${version}&timeoutSeconds=600`;
    const headers = { authorization: `Bearer ${this.#token}` };
    const response = await fetch(this.url + path + query, { headers, dispatcher: this.#agent, signal });
    let rest = "";
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const event = JSON.parse(line) as WatchEvent;
        if (event.type === "ERROR") return;
        tell(event);
      }
    }
  }
}

function collectionOf({ apiVersion = "v1", kind = "", metadata }: KubeObject): string {
  const root = apiVersion === "v1" ? "/api/v1" : `/apis/${apiVersion}`;
  const plural = plurals[kind] ?? `${kind.toLowerCase()}s`;
  const within = clusterWide.has(kind) ? "" : `/namespaces/${metadata.namespace ?? "default"}`;
  return `${root}${within}/${plural}`;
}

function pathOf(object: KubeObject): string {
  return `${collectionOf(object)}/${object.metadata.name}`;
}

/** Waits until it is so; says what it waited for where it never is. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  withinMs = 30_000,
): Promise<T> {
  let last: unknown;
  for (const deadline = Date.now() + withinMs; Date.now() < deadline; await sleep(25)) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
  }
  throw new Error(`it never came to that: ${what}`, { cause: last });
}
