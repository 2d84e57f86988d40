/** A Kubernetes API in memory, that a test changes as it likes: what is not told by any webhook. */

import type { Cluster, Named } from "../../shared/kubernetes/port.ts";
import { EntranceError } from "../../shared/model/error.ts";
import type { SeenReference } from "../../shared/model/observation.ts";
import { referenceKey } from "../../shared/model/reference.ts";

type Json = Readonly<Record<string, unknown>>;

export class ListedCluster implements Cluster {
  version = 100;
  id = "cluster-1";
  isAway = false;
  /** A role that allows to list, and not to get. */
  forbidsGet = false;
  /** How often anything was listed, by name or as a whole. */
  lists = 0;
  /** Namespaces whose Secrets no role allows to read. */
  readonly closed = new Set<string>();
  /** Names of Secrets that it cannot tell of. */
  readonly broken = new Set<string>();
  /** Names of Secrets that were read. */
  readonly secretsRead: string[] = [];
  /** Pauses that were asked for, in ms. */
  readonly pauses: number[] = [];
  /** Called with each pause: what happens meanwhile. */
  meanwhile: () => void = () => undefined;
  readonly #objects = new Map<string, Json>();

  readonly api: Cluster["api"] = {
    list: async (kind, _limit, { named } = {}) => {
      this.#answers();
      this.lists += 1;
      if (kind === "Secret") this.#readsSecret(named);
      const items = [...this.#objects].flatMap(([key, object]) => {
        const wanted = named === undefined ? key.startsWith(`${kind}/`) : key === referenceKey({ kind, ...named });
        return wanted ? [object] : [];
      });
      return { resourceVersion: String(this.version), items, next: undefined };
    },
    get: async (kind, named) => {
      this.#answers();
      if (this.forbidsGet) throw new EntranceError("forbidden", "may not");
      return this.#objects.get(referenceKey({ kind, ...named }));
    },
    clusterId: async () => {
      this.#answers();
      return this.id;
    },
  };

  readonly wait = async (ms: number): Promise<void> => {
    this.pauses.push(ms);
    this.meanwhile();
  };

  /** Of its own kind and name; returns its resourceVersion. `uid`: of another one than the first of this name. */
  put(
    { kind, namespace, name }: SeenReference,
    content: Json,
    annotations: Json = {},
    uid = `${kind}-${namespace}-${name}`,
  ): number {
    this.version += 1;
    const metadata = {
      name,
      ...(namespace === "" ? {} : { namespace }),
      uid,
      resourceVersion: String(this.version),
      creationTimestamp: "2026-11-22T10:00:00Z",
      annotations,
    };
    this.#objects.set(referenceKey({ kind, namespace, name }), { metadata, ...content });
    return this.version;
  }

  remove(reference: SeenReference): void {
    this.version += 1;
    this.#objects.delete(referenceKey(reference));
  }

  /** By name alone, as the roles have it. */
  #readsSecret(named: Named | undefined): void {
    if (named === undefined || this.closed.has(named.namespace)) throw new EntranceError("forbidden", "may not");
    const name = `${named.namespace}/${named.name}`;
    if (this.broken.has(name)) throw new EntranceError("unavailable", `cannot get Secret ${name}: status 500`);
    this.secretsRead.push(name);
  }

  #answers(): void {
    if (this.isAway) throw new EntranceError("unavailable", "the API does not answer");
  }
}
