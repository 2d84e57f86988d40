/** The authorities by which members are verified, out of the Secrets that a Service names. */
import { describeReference, type Reference } from "../../model/reference.ts";
import type { SeenService } from "../../model/seen/service.ts";
import { Answers } from "../answers.ts";
import { remark } from "../problem.ts";
import type { Answer, Problem, Read } from "../translation.ts";
import type { PoolWish, PoolWishes } from "./wish.ts";

/** Without them nothing is verified by the system's own instead: a port whose authorities are not known is closed. */
export function* withAuthorities(
  { namespace }: SeenService,
  wishes: PoolWishes,
  problems: Problem[],
): Generator<readonly Read[], PoolWishes, readonly Answer[]> {
  const secretOf = (name: string): Reference => ({ kind: "Secret", namespace, name });
  const names = new Set([...wishes.values()].flatMap(({ spoken }) => spoken.ca ?? []));
  if (names.size === 0) return wishes;
  const answers = new Answers(yield [...names].map((name) => ({ reference: secretOf(name) })));
  return new Map(
    [...wishes].map(([port, wish]): [number, PoolWish] => {
      const { spoken } = wish;
      if (spoken.ca === undefined || spoken.tls === undefined) return [port, wish];
      const reference = secretOf(spoken.ca);
      const secret = answers.secret(reference);
      const ca = secret?.authorities;
      if (ca !== undefined) return [port, { ...wish, spoken: { ...spoken, tls: { ...spoken.tls, ca } } }];
      const why = secret === undefined ? answers.whyNot(reference) : "has no ca.crt that could be used";
      problems.push(
        remark(`${describeReference(reference)} ${why}, so nobody can be verified: requests are answered with 503`),
      );
      return [port, { ...wish, isClosed: true }];
    }),
  );
}
