/** EventList audit.k8s.io/v1: what has happened, as far as each event's answer tells it. */
import * as v from "valibot";
import type { Observation } from "../model/observation.ts";
import { type Parsed, parseWith, told } from "../model/parse.ts";
import { type AuditedWrite, burial, hint, observeResponse } from "./audit-response.ts";
import { coalesce } from "./coalesce.ts";
import { keepingPolicy, readDeleteOptions } from "./delete-options.ts";
import { objectUid } from "./identity.ts";
import { wireKindOfResource } from "./kind.ts";
import { queryValues } from "./request-uri.ts";
import type { ObserveSettings } from "./settings.ts";
import { meaningOf } from "./sub-resource.ts";

/** The apiserver's batches have 400 events unless it is told otherwise; more than this is no batch. */
export const maxEvents = 10_000;

const listSchema = v.object(
  {
    apiVersion: v.literal("audit.k8s.io/v1", "must be audit.k8s.io/v1"),
    kind: v.literal("EventList", "must be EventList"),
    items: v.nullish(
      v.pipe(v.array(v.unknown(), told.list), v.maxLength(maxEvents, `has more than ${maxEvents} events`)),
      [],
    ),
  },
  told.object,
);

const verbs = ["create", "update", "patch", "delete", "deletecollection"] as const;
const text = v.nullish(v.string(told.text), "");

const eventSchema = v.object(
  {
    auditID: text,
    level: text,
    stage: text,
    requestURI: text,
    verb: text,
    objectRef: v.nullish(
      v.object(
        { resource: text, apiGroup: text, apiVersion: text, namespace: text, name: text, subresource: text },
        told.object,
      ),
    ),
    responseStatus: v.nullish(
      v.object({ code: v.nullish(v.number(told.number)), details: v.optional(v.unknown()) }, told.object),
    ),
    requestObject: v.optional(v.unknown()),
    responseObject: v.optional(v.unknown()),
    stageTimestamp: text,
    annotations: v.nullish(v.record(v.string(), v.string(told.text), told.object), {}),
  },
  told.object,
);

type Event = v.InferOutput<typeof eventSchema>;

export interface UnusableEvent {
  /** The event's auditID, or its place in the list. */
  readonly id: string;
  readonly reason: string;
}

export type DecodedEventList =
  /** No EventList at all. */
  | { readonly ok: false; readonly reason: string }
  | {
      readonly ok: true;
      /** Of several about one object only what is newest ({@link coalesce}). */
      readonly observations: readonly Observation[];
      /** Events that say nothing of an object that is stored. */
      readonly ignored: number;
      readonly unusable: readonly UnusableEvent[];
    };

export function decodeEventList(body: unknown, settings: ObserveSettings): DecodedEventList {
  const list = parseWith(listSchema, body);
  if (!list.ok) return { ok: false, reason: `no EventList of audit.k8s.io/v1: ${list.reason}` };
  const observations: Observation[] = [];
  const unusable: UnusableEvent[] = [];
  let ignored = 0;
  for (const [index, item] of list.value.items.entries()) {
    const event = parseWith(eventSchema, item);
    const observed = event.ok ? observeEvent(event.value, settings) : [event];
    if (observed === undefined) ignored += 1;
    for (const each of observed ?? []) {
      if (each.ok) observations.push(each.value);
      else unusable.push({ id: idOf(event.ok ? event.value.auditID : "", index), reason: each.reason });
    }
  }
  return { ok: true, observations: coalesce(observations), ignored, unusable };
}

/** Undefined: it says nothing of an object that is stored. */
function observeEvent(event: Event, settings: ObserveSettings): readonly Parsed<Observation>[] | undefined {
  const verb = verbs.find((known) => known === event.verb);
  const { objectRef } = event;
  if (event.stage !== "ResponseComplete" || verb === undefined || !objectRef) return undefined;
  const kind = wireKindOfResource(objectRef.apiGroup, objectRef.resource);
  if (kind === undefined) return undefined;
  const meaning = meaningOf(kind, objectRef.subresource);
  const code = event.responseStatus?.code ?? 200;
  // Only a delete's body is DeleteOptions; in a patch the same words would say nothing.
  const options = readDeleteOptions(verb.startsWith("delete") ? event.requestObject : undefined);
  if (meaning === "nothing" || code < 200 || code > 299 || options.dryRun || isDryRun(event)) return undefined;
  const isWhole =
    meaning === "object" && event.level === "RequestResponse" && event.annotations["audit.k8s.io/truncated"] !== "true";
  const answered = Date.parse(event.stageTimestamp);
  const write: AuditedWrite = {
    kind,
    verb,
    subResource: objectRef.subresource,
    namespace: objectRef.namespace,
    name: objectRef.name,
    response: isWhole ? event.responseObject : undefined,
    keeps: options.keeps || queryValues(event.requestURI, "propagationPolicy").some(keepingPolicy),
    answeredMs: Number.isNaN(answered) ? undefined : answered,
  };
  // Whatever an audit log tells of a Secret's content is not used: it should not be there.
  return kind.kind === "Secret" ? [observeSecret(write, event)] : observeResponse(write, settings);
}

const details = v.object({ name: v.nullish(v.string(), ""), uid: objectUid });

/** Who it was can be told by the status of a delete alone. */
function observeSecret(write: AuditedWrite, { responseStatus }: Event): Parsed<Observation> {
  const buried = v.safeParse(details, responseStatus?.details);
  const isEnd = write.verb === "delete" && write.subResource === "" && !write.keeps && buried.success;
  return isEnd ? burial(write, buried.output) : hint({ ...write, response: undefined });
}

/** A dry run is audited as if it were real: writes say it in the query, deletes in their options, too. */
function isDryRun(event: Event): boolean {
  return queryValues(event.requestURI, "dryRun").some((value) => value !== "");
}

/** What is shown in the status must be short and harmless. */
function idOf(auditId: string, index: number): string {
  return /^[-\w]{1,64}$/.test(auditId) ? auditId : `event ${index + 1} of the list`;
}
