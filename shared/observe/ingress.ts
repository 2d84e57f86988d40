/** Ingress networking.k8s.io/v1. */
import * as v from "valibot";
import { parseHost } from "../model/host.ts";
import { labelName, subdomainName } from "../model/object-name.ts";
import { type Parsed, parseWith, told } from "../model/parse.ts";
import { portNumber } from "../model/port-number.ts";
import type { SeenBackend, SeenIngress, SeenIngressRule, SeenTls } from "../model/seen/ingress.ts";
import { keptLabels, metadataSchema, ourAnnotations, seenMetadata } from "./metadata.ts";
import type { ObserveSettings } from "./settings.ts";

const hostReason = "must be a host name, such as www.example.com or *.example.com";
const host = v.pipe(
  v.string(told.text),
  v.check((text) => text === "" || (text !== "*" && parseHost(text).ok), hostReason),
  v.transform((text) => text.toLowerCase()),
);

const serviceSchema = v.object(
  {
    name: labelName,
    port: v.object({ name: v.nullish(v.string(told.text), ""), number: v.nullish(portNumber) }, told.object),
  },
  told.object,
);

const backendSchema = v.pipe(
  v.object(
    {
      service: v.nullish(serviceSchema),
      resource: v.nullish(v.object({ kind: v.string(told.text), name: v.string(told.text) }, told.object)),
    },
    told.object,
  ),
  v.rawTransform(({ dataset, addIssue, NEVER }): SeenBackend => {
    const { service, resource } = dataset.value;
    if (service) {
      const port = service.port.number ?? service.port.name;
      if (port !== "") return { service: service.name, port };
      addIssue({ message: "service.port must have a number or a name" });
      return NEVER;
    }
    if (resource) return { resource: `${resource.kind} ${resource.name}` };
    addIssue({ message: "must have a service" });
    return NEVER;
  }),
);

const pathSchema = v.object(
  {
    path: v.nullish(v.pipe(v.string(told.text), v.regex(/^(\/.*)?$/s, "must begin with a slash")), ""),
    pathType: v.picklist(
      ["Exact", "Prefix", "ImplementationSpecific"],
      "must be Exact, Prefix or ImplementationSpecific",
    ),
    backend: backendSchema,
  },
  told.object,
);

const ruleSchema = v.object(
  {
    host: v.nullish(host, ""),
    http: v.nullish(v.object({ paths: v.nullish(v.array(pathSchema, told.list), []) }, told.object), { paths: [] }),
  },
  told.object,
);

const tlsSchema = v.object(
  {
    hosts: v.nullish(v.array(host, told.list), []),
    secretName: v.nullish(v.union([v.literal(""), subdomainName], "must be a Secret's name"), ""),
  },
  told.object,
);

const specSchema = v.object(
  {
    ingressClassName: v.nullish(v.string(told.text), ""),
    defaultBackend: v.nullish(backendSchema),
    rules: v.nullish(v.array(ruleSchema, told.list), []),
    tls: v.nullish(v.array(tlsSchema, told.list), []),
  },
  told.object,
);

const schema = v.object({ metadata: metadataSchema, spec: specSchema }, told.object);

export function trimIngress(wire: unknown, settings: ObserveSettings): Parsed<SeenIngress> {
  const parsed = parseWith(schema, wire);
  if (!parsed.ok) return parsed;
  const { metadata, spec } = parsed.value;
  const className = spec.ingressClassName || metadata.annotations["kubernetes.io/ingress.class"];
  return {
    ok: true,
    value: {
      kind: "Ingress",
      ...seenMetadata(metadata),
      ...(className ? { className } : {}),
      ...(spec.defaultBackend ? { defaultBackend: spec.defaultBackend } : {}),
      rules: spec.rules.map((rule): SeenIngressRule => ({ host: rule.host, paths: rule.http.paths })),
      tls: spec.tls.map(({ hosts, secretName }): SeenTls => ({ hosts, ...(secretName ? { secretName } : {}) })),
      labels: keptLabels(metadata, ["tenant_name"]),
      annotations: ourAnnotations(metadata, settings.prefix),
    },
  };
}
