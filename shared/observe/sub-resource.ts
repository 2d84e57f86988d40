/** What a write to a part of an object says of the object. */
import type { WireKind } from "./kind.ts";

/**
 * | sub-resource                   | body                     | says                                              |
 * |--------------------------------|--------------------------|---------------------------------------------------|
 * | none, `status`                 | the whole object         | what it is (or will be)                           |
 * | `finalize` of a Namespace      | the whole object         | the same; without finalizers it is gone           |
 * | `proxy`                        | the application's own    | nothing: a request passes through                 |
 * | any other (a later Kubernetes) | unknown, often not whole | that the object may have changed                  |
 *
 * Sub-resources that answer with something else (`scale`, `eviction`, `binding`, `token`, `log` …) belong to kinds
 * that are not stored.
 */
export function meaningOf(kind: WireKind, subResource: string): "object" | "nothing" | "hint" {
  if (subResource === "" || subResource === "status") return "object";
  if (subResource === "finalize" && kind.kind === "Namespace") return "object";
  return subResource === "proxy" ? "nothing" : "hint";
}
