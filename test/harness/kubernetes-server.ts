/** A Kubernetes API in memory, by HTTP or HTTPS: as much of it as Entrance calls. (A real one: test/cluster.) */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import * as v from "valibot";
import type { Access } from "../../shared/kubernetes/access.ts";
import type { Pair } from "./certificate.ts";

type Json = Readonly<Record<string, unknown>>;

const Metadata = v.looseObject({
  namespace: v.optional(v.string(), ""),
  name: v.string(),
  uid: v.optional(v.string()),
  resourceVersion: v.optional(v.string()),
  labels: v.optional(v.record(v.string(), v.string()), {}),
});
type Metadata = v.InferOutput<typeof Metadata>;

const pathParts = /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+))?\/([a-z]+)(?:\/([^/]+?))?(\/status)?$/;

interface Place {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string | undefined;
}

function placeOf(path: string): Place | undefined {
  const [, group, namespace = "", plural, name] = pathParts.exec(path) ?? [];
  return group === undefined ? undefined : { kind: `${group}/${plural}`, namespace, name };
}

export class KubernetesServer {
  readonly url: string;
  /** Method and path of each request, in order. */
  readonly asked: string[] = [];
  /** What each said of who asks. */
  readonly authorizations = new Set<string | undefined>();
  /** Method, path and status of each write. */
  readonly writes: string[] = [];
  /** Requests that hang until {@link release}. */
  holds: (asked: string) => boolean = () => false;
  readonly #held: (() => void)[] = [];
  readonly #objects = new Map<string, Json>();
  readonly #server: ReturnType<typeof createServer>;
  #version = 100;

  private constructor(server: ReturnType<typeof createServer>, protocol: string) {
    this.#server = server;
    this.url = `${protocol}://localhost:${(server.address() as AddressInfo).port}`;
    server.on("request", (request, response) => void this.#answer(request, response));
    this.put("/api/v1/namespaces/kube-system", {});
  }

  /** With a certificate by HTTPS. */
  static async start(pair?: Pair): Promise<KubernetesServer> {
    const server = pair === undefined ? createServer() : createTlsServer({ cert: pair.chain, key: pair.key });
    server.listen(0, "localhost");
    await once(server, "listening");
    return new KubernetesServer(server, pair === undefined ? "http" : "https");
  }

  get access(): Access {
    return {
      url: this.url,
      fetch: (url, init) => fetch(url, init),
      token: async () => undefined,
      wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    };
  }

  /** Of this path; what identifies it is filled in. Returns it as it is now. */
  put(path: string, object: Json): Json {
    const place = placeOf(path);
    if (place?.name === undefined) throw new Error(`no object's path: ${path}`);
    this.#version += 1;
    const { namespace, name } = place;
    const known = v.safeParse(v.object({ uid: v.string() }), this.get(path)?.["metadata"]);
    const metadata = {
      creationTimestamp: "2026-11-22T10:00:00Z",
      uid: known.success ? known.output.uid : `uid-${this.#version}`,
      ...(object["metadata"] as Json | undefined),
      name,
      ...(namespace === "" ? {} : { namespace }),
      resourceVersion: String(this.#version),
    };
    const whole = { ...object, metadata };
    this.#objects.set(keyOf(place), whole);
    return whole;
  }

  get(path: string): Json | undefined {
    const place = placeOf(path);
    return place && this.#objects.get(keyOf(place));
  }

  release(): void {
    this.holds = () => false;
    for (const go of this.#held.splice(0)) go();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "", this.url);
    const asked = `${request.method} ${pathname}`;
    this.asked.push(asked);
    this.authorizations.add(request.headers.authorization);
    const body: unknown = JSON.parse((await text(request)) || "null");
    if (this.holds(asked)) await new Promise<void>((resolve) => this.#held.push(resolve));
    const [status, json] = this.#outcome(request, pathname, searchParams, body as Json);
    if (request.method !== "GET") this.writes.push(`${asked} ${status}`);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
  }

  #outcome(request: IncomingMessage, path: string, query: URLSearchParams, body: Json): [number, unknown] {
    const place = placeOf(path);
    if (place === undefined) return failure(404);
    if (request.method === "POST") return this.#create(path, body);
    if (place.name === undefined) return [200, this.#list(place, query)];
    const found = this.get(path);
    if (found === undefined) return failure(404);
    if (request.method !== "PATCH") return [200, found];
    const isNewer = (name: "uid" | "resourceVersion") => {
      const wanted = (body["metadata"] as Metadata | undefined)?.[name];
      return wanted !== undefined && wanted !== metadataOf(found)[name];
    };
    if (isNewer("uid") || isNewer("resourceVersion")) return failure(409);
    const byName = request.headers["content-type"]?.includes("strategic") ?? false;
    return [200, this.put(path.replace(/\/status$/, ""), merged(found, body, byName) as Json)];
  }

  #create(path: string, object: Json): [number, unknown] {
    const whole = `${path}/${metadataOf(object).name}`;
    return this.get(whole) === undefined ? [201, this.put(whole, object)] : failure(409);
  }

  #list({ kind, namespace }: Place, query: URLSearchParams): Json {
    const [label = "", value] = query.get("labelSelector")?.split("=") ?? [];
    const [, name] = query.get("fieldSelector")?.split("=") ?? [];
    const items = [...this.#objects].flatMap(([key, object]) => {
      const metadata = metadataOf(object);
      const isWanted =
        key.startsWith(`${kind} `) &&
        (namespace === "" || metadata.namespace === namespace) &&
        (name === undefined || metadata.name === name) &&
        (value === undefined || metadata.labels[label] === value);
      return isWanted ? [object] : [];
    });
    return { metadata: { resourceVersion: String(this.#version) }, items };
  }
}

function keyOf({ kind, namespace, name }: Place): string {
  return `${kind} ${namespace} ${name}`;
}

function metadataOf(object: Json): Metadata {
  return v.parse(Metadata, object["metadata"]);
}

/** RFC 7386; `byName`: entries of a list that have names are found by them. */
function merged(old: unknown, patch: unknown, byName: boolean): unknown {
  if (byName && Array.isArray(patch) && Array.isArray(old)) {
    const change = (entry: Json) => patch.find((each: Json) => each["name"] === entry["name"]);
    return old.map((entry: Json) => merged(entry, change(entry) ?? {}, byName));
  }
  if (!isRecord(patch)) return patch;
  const result: Record<string, unknown> = isRecord(old) ? { ...old } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merged(result[name], value, byName);
  }
  return result;
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function failure(code: number): [number, unknown] {
  return [code, { kind: "Status", status: "Failure", reason: code === 404 ? "NotFound" : "Conflict", code }];
}
