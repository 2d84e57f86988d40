/** The Kubernetes API over fetch, as far as Entrance needs it; alike in workerd, in Node and on Lambda. */
import * as v from "valibot";
import { EntranceError } from "../model/error.ts";
import { describeReference, type SeenKind } from "../model/reference.ts";
import type { Access } from "./access.ts";
import type { KubernetesApi, ListOptions, ListPage, Named } from "./port.ts";
import { type KubernetesAnswer, type Limits, send } from "./request.ts";
import { pathOf, pathOfObject, pluralOf } from "./resource.ts";

/** What reads one object back: somebody waits for the change, and asks again. */
const oneObject: Limits = { tryMs: 2_000, wholeMs: 4_000, maxBytes: 4 * 1024 * 1024 };
/** A page of the LIST; a worker of workerd has 128 MiB for everything. */
const onePage: Limits = { tryMs: 15_000, wholeMs: 30_000, maxBytes: 16 * 1024 * 1024 };

const List = v.object({
  metadata: v.object({
    resourceVersion: v.string(),
    continue: v.optional(v.string(), ""),
  }),
  // The API writes `null` for none.
  items: v.nullish(v.array(v.unknown()), []),
});
const Identified = v.object({ metadata: v.object({ uid: v.string() }) });

/** Every cluster has it. */
const kubeSystem: Named = { namespace: "", name: "kube-system" };

export class KubernetesClient implements KubernetesApi {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  /** The last page says where the next one begins: a page that is too large is asked for again, half as long. */
  async list(kind: SeenKind, limit: number, options: ListOptions = {}): Promise<ListPage> {
    const { named, since } = options;
    if (kind === "Secret" && named !== undefined) return this.#secret(named, since);
    const what =
      named === undefined
        ? `list ${pluralOf(kind)}`
        : `list ${pluralOf(kind)} by name (${describeReference({ kind, ...named })})`;
    for (let size = limit; ; size = Math.floor(size / 2)) {
      const path = `${pathOf(kind, named?.namespace)}?${queryOf(size, options)}`;
      const limits = named === undefined ? onePage : oneObject;
      const answer = await send(this.#access, { method: "GET", path, what, limits });
      if (answer.type === "too-large" && size > 1) continue;
      return pageOf(answer, what);
    }
  }

  /**
   * By GET, which a role can allow without allowing to list any. Its answer does not say as of when there is none, so a
   * version is asked for before.
   */
  async #secret(named: Named, since?: string): Promise<ListPage> {
    const resourceVersion = since ?? (await this.list("Namespace", 1, { named: kubeSystem })).resourceVersion;
    const found = await this.get("Secret", named);
    return { resourceVersion, items: found === undefined ? [] : [found], next: undefined };
  }

  /** The apiserver reads it from its store, and waits for no cache to have heard of everything else. */
  async get(kind: SeenKind, named: Named): Promise<unknown> {
    const what = `get ${describeReference({ kind, ...named })}`;
    const answer = await this.#object(kind, named, what);
    if (answer.type === "absent") return undefined;
    if (answer.type !== "done") throw strange(what, answer);
    return answer.json;
  }

  async clusterId(): Promise<string> {
    const what = `get the namespace ${kubeSystem.name}`;
    const answer = await this.#object("Namespace", kubeSystem, what);
    if (answer.type === "done") {
      const read = v.safeParse(Identified, answer.json);
      if (read.success) return read.output.metadata.uid;
    }
    throw strange(what, answer);
  }

  #object(kind: SeenKind, { namespace, name }: Named, what: string): Promise<KubernetesAnswer> {
    const path = pathOfObject(kind, namespace, name);
    return send(this.#access, { method: "GET", path, what, limits: oneObject });
  }
}

/** No resourceVersion is asked for: what comes is not older than this request. */
function queryOf(limit: number, { after, named }: ListOptions): URLSearchParams {
  const query = new URLSearchParams({ limit: String(limit) });
  if (after !== undefined) query.set("continue", after);
  if (named !== undefined) query.set("fieldSelector", `metadata.name=${named.name}`);
  return query;
}

function pageOf(answer: KubernetesAnswer, what: string): ListPage {
  if (answer.type === "expired")
    throw new EntranceError("unavailable", `cannot ${what}: the page is too old, begin anew`);
  if (answer.type !== "done") throw strange(what, answer);
  const list = v.safeParse(List, answer.json);
  if (!list.success) throw strange(what, answer);
  const { metadata, items } = list.output;
  const next = metadata.continue === "" ? undefined : metadata.continue;
  return { resourceVersion: metadata.resourceVersion, items: items ?? [], next };
}

function strange(what: string, answer: KubernetesAnswer): EntranceError {
  switch (answer.type) {
    case "absent":
      return new EntranceError(
        "misconfigured",
        `cannot ${what}: this API has no such thing; is ENTRANCE_KUBE_API a Kubernetes API?`,
      );
    case "too-large":
      return new EntranceError("unavailable", `cannot ${what}: the answer is too large`);
    case "invalid":
      return new EntranceError("unavailable", `cannot ${what}: ${answer.reason}`);
    default:
      return new EntranceError("unavailable", `cannot ${what}: an answer that is no list of Kubernetes'`);
  }
}
