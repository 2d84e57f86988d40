/** From a Secret as it was sent to one that may be stored: looked at, and what is secret in it sealed. */
import { referenceKey } from "../model/reference.ts";
import type { SecretProblem, SeenCertificate, SeenSecret, SeenUser } from "../model/seen/secret.ts";
import type { SentSecret, SentUser } from "../model/sent-secret.ts";
import type { Inspect } from "./inspection.ts";
import { hashPassword } from "./password.ts";
import type { Sealer } from "./sealer.ts";

export interface SecretKeeper {
  keep(sent: SentSecret): Promise<SeenSecret>;
  /** The same, sealed with the first key; undefined: there is nothing to do, or it cannot be opened. */
  reseal(secret: SeenSecret): Promise<SeenSecret | undefined>;
}

export function secretKeeper(sealer: Sealer, inspect: Inspect): SecretKeeper {
  return {
    async keep({ namespace, name, created, certificate, users, authorities, problems }) {
      const field = (path: string) =>
        `${referenceKey({ kind: "Secret", namespace, name })}/${encodeURIComponent(path)}`;
      const kept: SeenSecret = { kind: "Secret", namespace, name, created, problems };
      const content =
        certificate === undefined
          ? await keptUsers(sealer, users, field)
          : await keptCertificate(sealer, inspect, certificate, field);
      return {
        ...kept,
        ...content,
        ...(authorities === undefined ? {} : { authorities }),
        problems: [...problems, ...(content.problems ?? [])],
      };
    },
    async reseal(secret) {
      const { certificate, users } = secret;
      const key = certificate?.key && (await sealer.reseal(certificate.key));
      const hashes = await Promise.all(users?.map(({ hash }) => sealer.reseal(hash)) ?? []);
      if (key === undefined && !hashes.some((hash) => hash !== undefined)) return undefined;
      return {
        ...secret,
        ...(certificate && key ? { certificate: { ...certificate, key } } : {}),
        ...(users && { users: users.map((user, index) => ({ ...user, hash: hashes[index] ?? user.hash })) }),
      };
    },
  };
}

type Content = { certificate?: SeenCertificate; users?: readonly SeenUser[]; problems?: readonly SecretProblem[] };
type Field = (path: string) => string;

async function keptCertificate(
  sealer: Sealer,
  inspect: Inspect,
  sent: NonNullable<SentSecret["certificate"]>,
  field: Field,
): Promise<Content> {
  const inspection = inspect(sent.chain, sent.key.reveal());
  if (!inspection.ok) return { problems: [{ sentence: inspection.sentence, deny: inspection.deny }] };
  const key = await sealer.seal(field("tls.key"), inspection.key);
  if (key === undefined) return { certificate: inspection.certificate, problems: [notKept("its private key is")] };
  return { certificate: { ...inspection.certificate, key } };
}

async function keptUsers(sealer: Sealer, sent: readonly SentUser[] | undefined, field: Field): Promise<Content> {
  if (sent === undefined) return {};
  if (!sealer.canSeal) return { problems: [notKept("its passwords are")] };
  const users: SeenUser[] = [];
  for (const user of sent) {
    const of = field(`auth/${user.name}`);
    const hash =
      "hash" in user
        ? await sealer.seal(of, user.hash.reveal())
        : await sealer.seal(of, await hashPassword(user.password.reveal()), user.password.reveal());
    if (hash !== undefined) users.push({ name: user.name, hash });
  }
  return { users };
}

function notKept(what: string): SecretProblem {
  const sentence = `${what} not kept, since there is nothing to seal with: set ENTRANCE_SEAL_KEY, then send it again`;
  return { sentence, deny: false };
}
