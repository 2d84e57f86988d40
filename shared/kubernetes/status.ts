/** Where users look: the addresses in an object's status, why it is refused, and Events. */
import * as v from "valibot";
import { EntranceError } from "../model/error.ts";
import { describeReference, type Reference } from "../model/reference.ts";
import type { Access } from "./access.ts";
import { KubernetesObjects } from "./objects.ts";
import { apiVersionOf, pathOfObject } from "./resource.ts";
import type { Refusal, StatusApi, Told } from "./status-port.ts";

/** Kubernetes' own limit for an Event's note. */
const maxNote = 1_024;

const Stated = v.object({
  metadata: v.object({ uid: v.string(), annotations: v.nullish(v.record(v.string(), v.string()), {}) }),
  status: v.nullish(
    v.object({
      loadBalancer: v.nullish(
        v.object({
          ingress: v.nullish(v.array(v.object({ ip: v.nullish(v.string()), hostname: v.nullish(v.string()) })), []),
        }),
        {},
      ),
    }),
    {},
  ),
});

export class KubernetesStatus implements StatusApi {
  readonly #objects: KubernetesObjects;
  readonly #annotation: string;
  readonly #controller: string;
  readonly #instance: string;

  /** `prefix` as in annotations; `instance` names this process. */
  constructor(access: Access, prefix: string, instance: string) {
    this.#objects = new KubernetesObjects(access);
    this.#annotation = `status.${prefix}/refused`;
    this.#controller = `${prefix}/entrance`;
    this.#instance = instance;
  }

  async read(kind: "Ingress" | "Service", reference: Reference): Promise<Told | undefined> {
    const what = describeReference(reference);
    const json = await this.#objects.get(pathOfObject(kind, reference.namespace, reference.name), what);
    if (json === undefined) return undefined;
    const told = this.stated(json);
    if (told === undefined) throw new EntranceError("unavailable", `${what}: an answer that is no such object`);
    return told;
  }

  stated(json: unknown): Told | undefined {
    const parsed = v.safeParse(Stated, json);
    if (!parsed.success) return undefined;
    const { metadata, status } = parsed.output;
    const refused = metadata.annotations?.[this.#annotation];
    return {
      uid: metadata.uid,
      addresses: (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? ""),
      ...(refused === undefined ? {} : { refused }),
    };
  }

  /** Both by the status alone: the object itself is its owner's, and no role has to allow it to us. */
  async write(kind: "Ingress" | "Service", reference: Reference, told: Told): Promise<boolean> {
    const ingress = told.addresses.map((address) => (isIp(address) ? { ip: address } : { hostname: address }));
    const patch = {
      metadata: { uid: told.uid, annotations: { [this.#annotation]: told.refused ?? null } },
      status: { loadBalancer: { ingress: ingress.length === 0 ? null : ingress } },
    };
    const path = `${pathOfObject(kind, reference.namespace, reference.name)}/status`;
    return (await this.#objects.merge(path, patch, `the status of ${describeReference(reference)}`)) === "done";
  }

  async tell({ kind, reference, uid, note, id, now }: Refusal): Promise<void> {
    const { name } = reference;
    // Objects without a namespace have their Events in this one.
    const namespace = reference.namespace === "" ? "default" : reference.namespace;
    const event = {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      // The same refusal is told once, whoever tells it.
      metadata: { name: `${name.slice(0, 200)}.${id}`, namespace },
      eventTime: new Date(now).toISOString().replace("Z", "000Z"),
      reportingController: this.#controller,
      reportingInstance: this.#instance,
      action: "Translate",
      reason: "Refused",
      type: "Warning",
      note: note.slice(0, maxNote),
      regarding: {
        apiVersion: apiVersionOf(kind),
        kind,
        name,
        uid,
        ...(reference.namespace === "" ? {} : { namespace }),
      },
    };
    const path = `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`;
    await this.#objects.create(path, event, `an Event of ${describeReference(reference)}`);
  }
}

function isIp(address: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(address) || address.includes(":");
}
