/** Service v1: its ports, and the labels and annotations by which it asks for routes. */
import * as v from "valibot";
import { type Parsed, parseWith, told } from "../model/parse.ts";
import { portNumber } from "../model/port-number.ts";
import type { SeenService, SeenServicePort } from "../model/seen/service.ts";
import { keptLabels, metadataSchema, ourAnnotations, seenMetadata } from "./metadata.ts";
import type { ObserveSettings } from "./settings.ts";
import { transport } from "./transport.ts";

const targetPort = v.union(
  [v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65535)), v.pipe(v.string(), v.maxLength(63))],
  "must be a port's number or name",
);

const portSchema = v.object(
  {
    name: v.nullish(v.pipe(v.string(told.text), v.maxLength(63, "must have at most 63 characters")), ""),
    port: portNumber,
    protocol: transport,
    targetPort: v.nullish(targetPort),
    appProtocol: v.nullish(v.pipe(v.string(told.text), v.maxLength(253, "must have at most 253 characters"))),
  },
  told.object,
);

const specSchema = v.object(
  {
    type: v.nullish(v.string(told.text), "ClusterIP"),
    loadBalancerClass: v.nullish(v.pipe(v.string(told.text), v.maxLength(253, "must have at most 253 characters")), ""),
    ports: v.nullish(v.array(portSchema, told.list), []),
    sessionAffinity: v.nullish(v.string(told.text), "None"),
    selector: v.nullish(v.record(v.string(), v.string(told.text), told.object), {}),
  },
  told.object,
);

const schema = v.object({ metadata: metadataSchema, spec: specSchema }, told.object);

/** Rainbond's (its contract is told in ARCHITECTURE.md). */
const labels = ["tenant_name", "protocol", "domain", "origin_port", "lbmap_port", "event_id"];

export function trimService(wire: unknown, settings: ObserveSettings): Parsed<SeenService> {
  const parsed = parseWith(schema, wire);
  if (!parsed.ok) return parsed;
  const { metadata, spec } = parsed.value;
  const alias = spec.selector["name"];
  return {
    ok: true,
    value: {
      kind: "Service",
      ...seenMetadata(metadata),
      type: spec.type,
      ports: spec.ports.map(seenPort),
      ...(spec.type === "LoadBalancer" && spec.loadBalancerClass ? { loadBalancerClass: spec.loadBalancerClass } : {}),
      ...(spec.sessionAffinity === "ClientIP" ? { sessionAffinity: spec.sessionAffinity } : {}),
      ...(alias ? { selectorName: alias } : {}),
      labels: keptLabels(metadata, labels),
      annotations: ourAnnotations(metadata, settings.prefix),
    },
  };
}

/** A targetPort of 0 or "" is the API's way to say: the same as `port`. */
function seenPort({ targetPort, appProtocol, ...port }: v.InferOutput<typeof portSchema>): SeenServicePort {
  return { ...port, ...(targetPort ? { targetPort } : {}), ...(appProtocol ? { appProtocol } : {}) };
}
