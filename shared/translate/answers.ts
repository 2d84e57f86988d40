/** Answers by the object that they are about, whatever their order. */
import { type Reference, referenceKey } from "../model/reference.ts";
import type { SeenSecret } from "../model/seen/secret.ts";
import type { SeenService } from "../model/seen/service.ts";
import type { Answer } from "./translation.ts";

export class Answers {
  readonly #byKey: ReadonlyMap<string, Answer>;

  constructor(answers: readonly Answer[]) {
    this.#byKey = new Map(answers.map((answer) => [referenceKey(answer.reference), answer]));
  }

  of(reference: Reference): Answer | undefined {
    return this.#byKey.get(referenceKey(reference));
  }

  secret(reference: Reference): SeenSecret | undefined {
    const object = this.of(reference)?.object;
    return object?.kind === "Secret" ? object : undefined;
  }

  /** Why a Secret is not there, to follow its name. */
  whyNot(reference: Reference): string {
    const why = this.of(reference)?.unusable;
    return why === undefined ? "is not known yet" : `cannot be used (${why})`;
  }

  service(reference: Reference): SeenService | undefined {
    const object = this.of(reference)?.object;
    return object?.kind === "Service" ? object : undefined;
  }
}
