/** What an admission review may know: the object translated against what is known, without a write, a list or a wait. */
import type { Observation } from "../model/observation.ts";
import { maxRounds, type Problem } from "../translate/translation.ts";
import { answer } from "./answer.ts";
import { ageProblem } from "./certificate-age.ts";
import type { Context } from "./settings.ts";

/** The problems that the object would have if it were accepted now. */
export async function problemsOf(
  context: Context,
  observation: Extract<Observation, { type: "object" }>,
): Promise<readonly Problem[]> {
  const { reference, object } = observation;
  const generator = context.translate({ reference, object, claims: [] }, context.translation);
  let next = generator.next();
  for (let round = 0; next.done !== true && round < maxRounds; round += 1) {
    const answered = await Promise.all(next.value.map((read) => answer(context.store, reference, read.reference)));
    next = generator.next(answered.map((each) => each.answer));
  }
  const problems = next.done === true ? next.value.problems : [];
  const age = object.kind === "Secret" ? ageProblem(object, context.now()) : undefined;
  return age === undefined ? problems : [...problems, age];
}
