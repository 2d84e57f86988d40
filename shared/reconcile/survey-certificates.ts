/** Certificates as people want to see them: for which hosts they are, who uses them, and when they end. Never their keys. */
import { parseReferenceKey, type Reference } from "../model/reference.ts";
import { certificateKey } from "../model/resource-key.ts";
import type { SeenSecret } from "../model/seen/secret.ts";
import { ageProblem } from "./certificate-age.ts";
import { seenPartition } from "./keys.ts";
import { readSeen } from "./seen.ts";
import type { Context } from "./settings.ts";
import { listUsers } from "./users.ts";
import { readWant } from "./want.ts";

export interface CertificateSurvey {
  readonly namespace: string;
  readonly secret: string;
  readonly names: readonly string[];
  readonly notBefore: string;
  readonly notAfter: string;
  /** Hosts whose Domain has it. */
  readonly hosts: readonly string[];
  readonly problems: readonly string[];
}

/** A page has a chain of some kilobytes for each. */
const pageSize = 100;

/** In order of their names, at most `limit`. */
export async function surveyCertificates(context: Context, limit: number): Promise<CertificateSurvey[]> {
  const found: CertificateSurvey[] = [];
  for await (const secret of secretsOf(context)) {
    const survey = await surveyOf(context, secret);
    if (survey !== undefined) found.push(survey);
    if (found.length === limit) break;
  }
  return found;
}

interface CertificateEnd {
  readonly namespace: string;
  readonly secret: string;
  /** Seconds since 1970. */
  readonly notAfter: number;
}

/** Each is a series of its own. */
const maxEnds = 1_000;
/** Every Secret is read for it, and metrics are asked for more often than certificates change. */
const endsEveryMs = 60_000;

/** When each certificate ends, as of the last minute. */
export class CertificateEnds {
  readonly #context: Context;
  #found: readonly CertificateEnd[] = [];
  #foundAt = Number.NEGATIVE_INFINITY;

  constructor(context: Context) {
    this.#context = context;
  }

  async get(): Promise<readonly CertificateEnd[]> {
    const now = this.#context.now();
    // Where there are none, it costs nothing to look again.
    if (this.#found.length === 0 || now - this.#foundAt >= endsEveryMs) {
      this.#found = await certificateEnds(this.#context);
      this.#foundAt = now;
    }
    return this.#found;
  }
}

async function certificateEnds(context: Context): Promise<CertificateEnd[]> {
  const found: CertificateEnd[] = [];
  for await (const { namespace, name, certificate } of secretsOf(context)) {
    if (certificate === undefined) continue;
    found.push({ namespace, secret: name, notAfter: Date.parse(certificate.notAfter) / 1_000 });
    if (found.length === maxEnds) break;
  }
  return found;
}

async function* secretsOf(context: Context): AsyncGenerator<SeenSecret> {
  let after: string | undefined;
  do {
    const page = await context.store.list(seenPartition("Secret"), after, pageSize);
    for (const entry of page.entries) {
      const object = readSeen(entry)?.object;
      if (object?.kind === "Secret") yield object;
    }
    after = page.next;
  } while (after !== undefined);
}

async function surveyOf(context: Context, secret: SeenSecret): Promise<CertificateSurvey | undefined> {
  const { namespace, name, certificate, problems } = secret;
  if (certificate === undefined) return undefined;
  const reference: Reference = { kind: "Secret", namespace, name };
  const { want } = await readWant(context.store, reference);
  const age = ageProblem(secret, context.now());
  return {
    namespace,
    secret: name,
    names: certificate.names,
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    hosts: await hostsOf(context, reference),
    problems: [
      ...new Set([...problems.map(({ sentence }) => sentence), ...want.reasons, ...(age ? [age.sentence] : [])]),
    ],
  };
}

/** By the claims on Domains of whoever uses the Secret. */
async function hostsOf(context: Context, secret: Reference): Promise<string[]> {
  const key = certificateKey(secret.namespace, secret.name);
  const hosts = new Set<string>();
  for (const { reference } of await listUsers(context.store, secret)) {
    const { want } = await readWant(context.store, reference);
    for (const [used, claim] of Object.entries(want.uses)) {
      if (claim?.type !== "domain" || !claim.certificates.includes(key)) continue;
      const host = parseReferenceKey(used);
      if (host !== undefined) hosts.add(host.name);
    }
  }
  return [...hosts].sort();
}
