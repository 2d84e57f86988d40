/** Changes of headers, one on each line. */
import type { Filter } from "../../model/filter/filter.ts";
import { headerChanges } from "../../model/filter/header.ts";
import { type Annotations, lines } from "./annotations.ts";

const form = "one on each line: NAME: VALUE to set, +NAME: VALUE to add, -NAME to remove";

/** `request-headers`, `response-headers`. */
export function headerFilters(annotations: Annotations): Filter[] {
  const ofRequest = annotations.readAs("request-headers", form, headerChanges(true), changesIn);
  const ofResponse = annotations.readAs("response-headers", form, headerChanges(false), changesIn);
  return [
    ...(ofRequest === undefined ? [] : [{ type: "RequestHeaderModifier" as const, requestHeaderModifier: ofRequest }]),
    ...(ofResponse === undefined
      ? []
      : [{ type: "ResponseHeaderModifier" as const, responseHeaderModifier: ofResponse }]),
  ];
}

function changesIn(text: string): Record<string, unknown[]> {
  const changes: Record<string, unknown[]> = {};
  for (const line of lines(text)) {
    const kind = line.startsWith("+") ? "add" : line.startsWith("-") ? "remove" : "set";
    const change = kind === "set" ? line : line.slice(1);
    const list = changes[kind] ?? [];
    list.push(kind === "remove" ? change.trim() : pairIn(change));
    changes[kind] = list;
  }
  return changes;
}

function pairIn(text: string): { name: string; value: string } {
  const colon = text.indexOf(":");
  return { name: text.slice(0, colon === -1 ? 0 : colon).trim(), value: text.slice(colon + 1).trim() };
}
