/** The real translation, but that objects with this annotation are a fault of ours: they throw. */
import { translate } from "../../shared/translate/translate.ts";
import type { Subject, Translating, TranslationSettings } from "../../shared/translate/translation.ts";

export const poison = "poison";

export function* poisoned(subject: Subject, settings: TranslationSettings): Translating {
  const translating = translate(subject, settings);
  if (subject.object === undefined || !isPoisoned(subject.object)) return yield* translating;
  const first = translating.next();
  // Half of them throw after they have asked once.
  if (!first.done && subject.reference.name.length % 2 === 0) yield first.value;
  throw new Error("poisoned");
}

export function isPoisoned(object: object): boolean {
  return "annotations" in object && typeof object.annotations === "object" && poison in (object.annotations ?? {});
}
