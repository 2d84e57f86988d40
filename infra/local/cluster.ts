/**
 * What of a Kubernetes API server is needed to play without one: it takes objects, asks the admission webhook, keeps
 * what is allowed, and tells the audit webhook. The samples, `npm run apply` and the tests use it.
 */
import { apiResource } from "./api-resource.ts";
import { type ClusterObject, created, deleted, finalized, sameContent, updated, versioned } from "./cluster-object.ts";
import type { ClusterStore } from "./cluster-store.ts";
import type { Manifest } from "./manifest.ts";
import type { Verdict, Webhooks } from "./webhooks.ts";
import { type Answer, admissionReview, auditEvents, deletedStatus, deleteOptions, type Write } from "./wire.ts";

export interface Outcome {
  /** For people: `Ingress shop/web`. */
  readonly object: string;
  readonly result: "created" | "configured" | "unchanged" | "deleted" | "not found" | "refused";
  /** Why it was refused. */
  readonly message?: string;
  readonly warnings: readonly string[];
}

/** Kinds whose delete answers with the object as it was; the others answer with a Status. */
const returnedByDelete = new Set(["Service", "Pod", "ServiceAccount", "PersistentVolumeClaim"]);

export class Cluster {
  readonly #store: ClusterStore;
  readonly #webhooks: Webhooks;
  readonly #dryRun: boolean;

  /** With `dryRun` it asks and tells as a server-side dry run does, and keeps nothing. */
  constructor(store: ClusterStore, webhooks: Webhooks, { dryRun = false } = {}) {
    this.#store = store;
    this.#webhooks = webhooks;
    this.#dryRun = dryRun;
  }

  has(manifest: Manifest): boolean {
    return this.#known(created(manifest)) !== undefined;
  }

  /** Creates or replaces. */
  apply(manifest: Manifest): Promise<Outcome> {
    return this.#store.write(async () => {
      const fresh = created(manifest);
      const old = this.#known(fresh);
      return old === undefined ? this.#create(manifest, fresh) : this.#update(manifest, old);
    });
  }

  /** Deletes; a Namespace as its controller does, with everything in it. */
  async delete(manifest: Manifest): Promise<Outcome[]> {
    const { kind, metadata } = manifest;
    const outcome = await this.#store.write(() => this.#delete(manifest));
    if (kind !== "Namespace" || outcome.result !== "deleted" || this.#dryRun) return [outcome];
    const outcomes = [outcome];
    for (const object of this.#store.list().filter((each) => each.metadata.namespace === metadata.name)) {
      outcomes.push(await this.#store.write(() => this.#delete(object)));
    }
    await this.#store.write(() => this.#finalize(manifest));
    return outcomes;
  }

  async #create(manifest: Manifest, object: ClusterObject): Promise<Outcome> {
    const write = this.#write("CREATE", object);
    const verdict = await this.#webhooks.review(admissionReview(write, object, null));
    if (!verdict.allowed) return refused(object, verdict);
    await this.#keep(write, { verb: "create", code: 201, requestObject: manifest }, object);
    return { object: label(object), result: "created", warnings: verdict.warnings };
  }

  async #update(manifest: Manifest, old: ClusterObject): Promise<Outcome> {
    const object = updated(old, manifest);
    const write = this.#write("UPDATE", object);
    const verdict = await this.#webhooks.review(admissionReview(write, object, old));
    if (!verdict.allowed) return refused(object, verdict);
    const answer = { verb: "update", code: 200, requestObject: manifest } as const;
    // A write that changes nothing gets no new resourceVersion, but is told all the same.
    if (sameContent(old, object)) {
      await this.#webhooks.audit(auditEvents(write, { ...answer, responseObject: old }));
      return { object: label(object), result: "unchanged", warnings: verdict.warnings };
    }
    await this.#keep(write, answer, object);
    return { object: label(object), result: "configured", warnings: verdict.warnings };
  }

  async #delete(manifest: Manifest): Promise<Outcome> {
    const named = created(manifest);
    const old = this.#known(named);
    if (old === undefined) return { object: label(named), result: "not found", warnings: [] };
    const write = this.#write("DELETE", old);
    const verdict = await this.#webhooks.review(admissionReview(write, null, old));
    if (!verdict.allowed) return refused(old, verdict);
    const answer = { verb: "delete", code: 200, requestObject: deleteOptions } as const;
    if (old.kind === "Namespace") {
      await this.#keep(write, answer, deleted(old)); // it stays until it is empty
    } else {
      const last = this.#dryRun ? old : versioned(old, this.#store.nextResourceVersion());
      if (!this.#dryRun) this.#store.remove(keyOf(old));
      const responseObject = returnedByDelete.has(old.kind) ? last : deletedStatus(write, old.metadata.uid);
      await this.#webhooks.audit(auditEvents(write, { ...answer, responseObject }));
    }
    return { object: label(old), result: "deleted", warnings: verdict.warnings };
  }

  /** The namespace controller's last step, by which an empty Namespace goes. */
  async #finalize(manifest: Manifest): Promise<void> {
    const old = this.#known(created(manifest));
    if (old === undefined) return;
    const object = versioned(finalized(old), this.#store.nextResourceVersion());
    this.#store.remove(keyOf(old));
    const answer = { verb: "update", subresource: "finalize", code: 200, requestObject: object } as const;
    await this.#webhooks.audit(auditEvents(this.#write("UPDATE", object), { ...answer, responseObject: object }));
  }

  async #keep(write: Write, answer: Omit<Answer, "responseObject">, object: ClusterObject): Promise<void> {
    const kept = this.#dryRun ? object : versioned(object, this.#store.nextResourceVersion());
    if (!this.#dryRun) this.#store.put(keyOf(kept), kept);
    await this.#webhooks.audit(auditEvents(write, { ...answer, responseObject: kept }));
  }

  #known(object: ClusterObject): ClusterObject | undefined {
    return this.#store.get(keyOf(object));
  }

  #write(operation: Write["operation"], { apiVersion, kind, metadata }: ClusterObject): Write {
    const { name, namespace = "" } = metadata;
    return { operation, resource: apiResource(apiVersion, kind), name, namespace, dryRun: this.#dryRun };
  }
}

/** An object's name in the store; its version does not count, since one object is served in several. */
function keyOf({ apiVersion, kind, metadata }: ClusterObject): string {
  const { group, resource } = apiResource(apiVersion, kind);
  return `${group}/${resource}/${metadata.namespace ?? ""}/${metadata.name}`;
}

function label({ kind, metadata: { namespace, name } }: ClusterObject): string {
  return `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}

function refused(object: ClusterObject, { message, warnings }: Verdict): Outcome {
  return { object: label(object), result: "refused", message, warnings };
}
