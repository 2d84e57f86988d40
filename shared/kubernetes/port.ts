/** What Entrance needs of a Kubernetes API: to list objects of one kind, and to know which cluster it is. */
import type { SeenKind } from "../model/reference.ts";

export interface ListPage {
  /**
   * As of which version of the cluster this was read, and all pages of one LIST alike. Never older than what was
   * committed when the LIST began: no `resourceVersion` is asked for.
   */
  readonly resourceVersion: string;
  /** As the API has them; typed lists leave out `kind` and `apiVersion`. */
  readonly items: readonly unknown[];
  /** Where to go on; undefined: this was the last page. */
  readonly next: string | undefined;
}

export interface ListOptions {
  /** The `next` of the page before. */
  readonly after?: string;
  /** One object alone, by `fieldSelector=metadata.name=…`: so its absence has a resourceVersion, too. */
  readonly named?: Named;
  /** A version that was told before this is asked: what comes is not older. Saves to ask for one where the answer has none. */
  readonly since?: string;
}

export interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** All throw `unavailable` where the API does not answer, or no longer knows a page, and `forbidden` where no role allows it. */
export interface KubernetesApi {
  list(kind: SeenKind, limit: number, options?: ListOptions): Promise<ListPage>;
  /** One object as it is now; undefined: it is not there, and nobody says as of when. */
  get(kind: SeenKind, named: Named): Promise<unknown>;
  /** The uid of the Namespace kube-system. */
  clusterId(): Promise<string>;
}

/** The API, and how to wait for it. */
export interface Cluster {
  readonly api: KubernetesApi;
  readonly wait: (ms: number) => Promise<void>;
}
