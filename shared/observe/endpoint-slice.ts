/** EndpointSlice discovery.k8s.io/v1: one source of a Service's members. */
import * as v from "valibot";
import { type Parsed, parseWith, told } from "../model/parse.ts";
import { portNumber } from "../model/port-number.ts";
import type { SeenEndpoint, SeenEndpointPort, SeenEndpointSlice } from "../model/seen/endpoint-slice.ts";
import { metadataSchema, seenMetadata } from "./metadata.ts";
import { transport } from "./transport.ts";

/** The API's own limits. */
const maxEndpoints = 1_000;
const maxPorts = 20_000;

const flag = v.nullish(v.boolean(told.boolean));

const endpointSchema = v.object(
  {
    addresses: v.pipe(v.array(v.string(told.text), told.list), v.minLength(1, "must have an address")),
    conditions: v.nullish(v.object({ ready: flag, serving: flag, terminating: flag }, told.object), {}),
  },
  told.object,
);

const portSchema = v.object(
  { name: v.nullish(v.string(told.text), ""), port: v.nullish(portNumber), protocol: transport },
  told.object,
);

const schema = v.object(
  {
    metadata: metadataSchema,
    addressType: v.picklist(["IPv4", "IPv6", "FQDN"], "must be IPv4, IPv6 or FQDN"),
    endpoints: v.nullish(
      v.pipe(v.array(endpointSchema, told.list), v.maxLength(maxEndpoints, `has more than ${maxEndpoints}`)),
      [],
    ),
    ports: v.nullish(v.pipe(v.array(portSchema, told.list), v.maxLength(maxPorts, `has more than ${maxPorts}`)), []),
  },
  told.object,
);

const address = v.pipe(v.string(), v.ip("must be an IPv4 or IPv6 address"));

export function trimEndpointSlice(wire: unknown): Parsed<SeenEndpointSlice> {
  const parsed = parseWith(schema, wire);
  if (!parsed.ok) return parsed;
  const { metadata, addressType, ports } = parsed.value;
  const endpoints = addressType === "FQDN" ? [] : parsed.value.endpoints.map(seenEndpoint);
  if (!endpoints.every((endpoint) => v.is(address, endpoint.address))) {
    return { ok: false, reason: "endpoints: an address must be an IPv4 or IPv6 address" };
  }
  const service = metadata.labels["kubernetes.io/service-name"];
  return {
    ok: true,
    value: {
      kind: "EndpointSlice",
      ...seenMetadata(metadata),
      ...(service ? { service } : {}),
      addressType,
      ports: ports.flatMap(seenPort),
      endpoints,
    },
  };
}

/** API: unknown readiness is ready; serving is as ready where it is not told; terminating only when told. */
function seenEndpoint({ addresses, conditions }: v.InferOutput<typeof endpointSchema>): SeenEndpoint {
  const ready = conditions.ready ?? true;
  return {
    address: addresses[0] ?? "",
    ready,
    serving: conditions.serving ?? ready,
    terminating: conditions.terminating ?? false,
  };
}

/** A port without a number means "any", and names no member. */
function seenPort({ name, port, protocol }: v.InferOutput<typeof portSchema>): SeenEndpointPort[] {
  return typeof port === "number" ? [{ name, port, protocol }] : [];
}
