/** Rules whose users sign in: the filter with the users of a Secret, or closed as long as there are none. */
import type { Filter } from "../model/filter/filter.ts";
import { describeReference, type Reference } from "../model/reference.ts";
import type { SeenSecret } from "../model/seen/secret.ts";
import type { Answers } from "./answers.ts";
import { remark } from "./problem.ts";
import { usable } from "./secret.ts";
import type { Problem, Read, TranslationSettings } from "./translation.ts";
import type { AuthWish } from "./wish/auth.ts";
import type { Wish } from "./wish/wish.ts";

export function authReads(namespace: string, { auth }: Wish): Read[] {
  return auth === undefined ? [] : [{ reference: secretOf(namespace, auth) }];
}

/** A Secret that is not there must not leave open what it guards. */
export function guarded(
  wish: Wish,
  namespace: string,
  answers: Answers,
  settings: TranslationSettings,
  problems: Problem[],
): Wish {
  if (wish.auth === undefined) return wish;
  const reference = secretOf(namespace, wish.auth);
  const secret = answers.secret(reference);
  const filter = filterOf(secret, wish.auth, settings);
  if (filter !== undefined) return { ...wish, filters: [...wish.filters, filter] };
  const why =
    secret === undefined
      ? answers.whyNot(reference)
      : "has no users: it is of type kubernetes.io/basic-auth, or has a key auth with lines NAME:HASH";
  problems.push(
    remark(`${describeReference(reference)} ${why}, so nobody can sign in: the routes are answered with 503`),
  );
  return { ...wish, isClosed: true };
}

function secretOf(namespace: string, { secret }: AuthWish): Reference {
  return { kind: "Secret", namespace, name: secret };
}

function filterOf(
  secret: SeenSecret | undefined,
  { realm }: AuthWish,
  settings: TranslationSettings,
): Filter | undefined {
  const users = secret?.users?.map(({ name, hash }) => ({ name, hash: usable(hash, settings) })) ?? [];
  if (users.length === 0) return undefined;
  return { type: "BasicAuth", basicAuth: { ...(realm === undefined ? {} : { realm }), users } };
}
