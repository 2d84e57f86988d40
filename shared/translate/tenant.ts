/** Who an object belongs to. */
import { namespaceReference } from "../model/reference.ts";
import { quote, refusal } from "./problem.ts";
import type { Answer, Problem, Read } from "./translation.ts";

export interface Belonging<T> {
  /** As one that says the truth. */
  readonly object: T;
  readonly tenant: string;
  readonly problems: readonly Problem[];
}

interface Labelled {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** As the object itself says: its label `tenant_name` (Rainbond's), else its namespace. */
export function tenantOf(object: Labelled): string {
  return object.labels["tenant_name"] || object.namespace;
}

/**
 * A Namespace with a label `tenant_name` binds all that is in it: an object that says otherwise belongs to the
 * Namespace's tenant all the same, and is told. Without one, which is how Rainbond has it, an object's own word counts.
 */
export function* withTenant<T extends Labelled>(
  object: T,
): Generator<readonly Read[], Belonging<T>, readonly Answer[]> {
  const [answer] = yield [{ reference: namespaceReference(object.namespace) }];
  const said = object.labels["tenant_name"];
  const bound = answer?.object?.kind === "Namespace" ? answer.object.labels["tenant_name"] : undefined;
  if (!bound) return { object, tenant: tenantOf(object), problems: [] };
  if (!said || said === bound) return { object, tenant: bound, problems: [] };
  return {
    object: { ...object, labels: { ...object.labels, tenant_name: bound } },
    tenant: bound,
    problems: [
      refusal(
        `label tenant_name: ${quote(said)}: all of namespace ${object.namespace} belongs to tenant ${quote(bound)}; ` +
          "write that, or leave the label out",
      ),
    ],
  };
}
