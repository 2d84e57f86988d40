/**
 * What a translation will ask for, guessed from the object alone, so that whoever drives it may fetch all of it at once and
 * not one after another. A wrong guess costs a read and changes nothing.
 */
import { parseHost } from "../model/host.ts";
import { domainReference, type Reference } from "../model/reference.ts";
import type { SeenObject } from "../model/seen/object.ts";

/** An Ingress may have thousands of hosts and backends; most have a few. */
const maxGuesses = 12;

export function guessReads(object: SeenObject): readonly Reference[] {
  if (object.kind === "EndpointSlice" && object.service !== undefined) {
    return [{ kind: "Service", namespace: object.namespace, name: object.service }];
  }
  if (object.kind !== "Ingress") return [];
  const { namespace, rules } = object;
  const guesses = new Map<string, Reference>();
  for (const { host, paths } of rules.slice(0, maxGuesses)) {
    const parsed = parseHost(host);
    if (parsed.ok) guesses.set(`host ${parsed.value}`, domainReference(parsed.value));
    for (const { backend } of paths.slice(0, maxGuesses)) {
      if (!("service" in backend)) continue;
      guesses.set(`service ${backend.service}`, { kind: "Service", namespace, name: backend.service });
    }
  }
  return [...guesses.values()].slice(0, maxGuesses);
}
