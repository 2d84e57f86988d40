/** What an admission review may know: the object translated against what is known, without a write, a list or a wait. */
import type { Observation } from "../model/observation.ts";
import { maxRounds, type Problem } from "../translate/translation.ts";
import { answer } from "./answer.ts";
import { ageProblem } from "./certificate-age.ts";
import type { Context } from "./settings.ts";

/**
 * The problems that the object would have if it were accepted now. One that it has had before does not deny: whoever
 * changes something else could not mend it, and the last good state serves on all the same.
 */
export async function newProblemsOf(
  context: Context,
  observation: Extract<Observation, { type: "object" }>,
  before: () => Promise<Extract<Observation, { type: "object" }> | undefined>,
): Promise<readonly Problem[]> {
  const problems = await problemsOf(context, observation);
  const old = problems.some(({ deny }) => deny) ? await before() : undefined;
  if (old === undefined) return problems;
  const known = new Set((await problemsOf(context, old)).map(({ sentence }) => sentence));
  return problems.map((problem) => (known.has(problem.sentence) ? { ...problem, deny: false } : problem));
}

async function problemsOf(
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
