/** Makes an object a user of what its translation is about to read, and tells who is to be translated for its claims. */
import { canonicalJson } from "../model/canonical.ts";
import { isEqual } from "../model/equal.ts";
import type { SeenReference } from "../model/observation.ts";
import { type Reference, referenceKey } from "../model/reference.ts";
import { certificateKey, domainKey, poolKey } from "../model/resource-key.ts";
import type { Write } from "../store/port.ts";
import { findPort } from "../translate/service-port.ts";
import type { Claim, Read } from "../translate/translation.ts";
import { hintText } from "./hint.ts";
import { referredKey, seenKey, userKey, usersPartition } from "./keys.ts";
import type { Ledger } from "./ledger.ts";
import { readSeen } from "./seen.ts";
import type { Context } from "./settings.ts";
import { stageWant } from "./stage-want.ts";
import { userText } from "./users.ts";
import { readWant } from "./want.ts";

/** A user record, a mark and perhaps a hint each, beside the want, the lock and what a few balancers take. */
const readsPerGroup = 8;

/**
 * Adds `reader` to the users of all that it reads, with what it claims; the want's `uses` change in the same group, so
 * that wherever a crash falls a user record exists only where the want tells of it, and it can be taken back. Returns
 * the objects whose claims changed in a way that changes what they want; they are marked. A claim of pools or of a
 * certificate only grows here: what its reader still uses stays until the reader's outcome is staged. `isResumed`: an
 * earlier turn registered and came no further, so who was to be translated then is asked again.
 */
export async function register(
  context: Context,
  ledger: Ledger,
  reader: Reference,
  reads: readonly Read[],
  isResumed: boolean,
): Promise<Reference[]> {
  const { want: before } = await readWant(ledger, reader);
  const fresh = reads
    .map(({ reference, claim = null }) => {
      const last = before.uses[referenceKey(reference)];
      return { reference, last, claim: widened(last, claim) };
    })
    .filter(({ last, claim }) => last === undefined || !isEqual(last, claim) || (isResumed && claim !== null));
  const claimed: Reference[] = [];
  for (let start = 0; start < fresh.length; start += readsPerGroup) {
    const group = fresh.slice(start, start + readsPerGroup);
    const marks: Reference[] = [];
    const referred = await firstReferred(context, ledger, group);
    for (const { reference, last, claim } of group) {
      const asks = claim !== null || (last !== null && last !== undefined);
      // Claimed by the earlier turn already, it is asked as if it were new; what that claimed and this does not is news.
      const known = isEqual(last ?? null, claim) ? undefined : last;
      if (asks && !(await holdsAlready(ledger, reference, known, claim))) marks.push(reference);
    }
    await stageWant(context, ledger, reader, ({ want }) => {
      const uses: Record<string, Claim | null> = { ...want.uses };
      const writes: Write[] = [];
      for (const { reference, claim } of group) {
        uses[referenceKey(reference)] = claim;
        writes.push({ key: userKey(reference, reader), value: userText(claim) });
      }
      for (const secret of referred) writes.push({ key: referredKey(secret), value: hintText(context, undefined) });
      return { want: { ...want, uses, unfinished: true }, writes, marks };
    });
    claimed.push(...marks);
  }
  return claimed;
}

/** Of what is read for the first time, the Secrets that nothing has referred to before: nobody has read them so far. */
async function firstReferred(
  { kubernetes }: Context,
  ledger: Ledger,
  fresh: readonly { readonly reference: Reference; readonly last: unknown }[],
): Promise<SeenReference[]> {
  if (kubernetes === undefined) return [];
  const first: SeenReference[] = [];
  for (const { reference, last } of fresh) {
    const { kind } = reference;
    if (kind !== "Secret" || last !== undefined) continue;
    if (await ledger.isEmpty(usersPartition(reference))) first.push({ ...reference, kind });
  }
  return first;
}

function widened(last: Claim | null | undefined, claim: Claim | null): Claim | null {
  // Read for something else as well, perhaps: what is claimed no more is taken back with the outcome.
  if (claim === null) return last ?? null;
  if (last?.type === "certificate" && claim?.type === "certificate") {
    return { type: "certificate", balancers: [...new Set([...last.balancers, ...claim.balancers])] };
  }
  if (last?.type !== "pool" || claim?.type !== "pool") return claim;
  const known = new Set(last.uses.map(canonicalJson));
  return { type: "pool", uses: [...last.uses, ...claim.uses.filter((use) => !known.has(canonicalJson(use)))] };
}

/** Whether a first claim asks for nothing that is not there already, so that nobody has to be translated for it. */
async function holdsAlready(
  ledger: Ledger,
  of: Reference,
  last: Claim | null | undefined,
  claim: Claim | null,
): Promise<boolean> {
  if (last !== undefined || claim === null) return false;
  if (claim.type === "pool") {
    const [entry, { want }] = await Promise.all([ledger.get(seenKey(of)), readWant(ledger, of)]);
    const service = readSeen(entry)?.object;
    if (service?.kind !== "Service") return true; // nothing to make a pool of: its arrival marks its users
    return claim.uses.every(({ balancer, port }) => {
      const number = findPort(service, "TCP", port)?.port;
      if (number === undefined) return true;
      const pool = want.resources[balancer]?.[poolKey(of.namespace, of.name, number)];
      // One of connections becomes one of requests.
      return pool !== undefined && !isOfConnections(pool.value);
    });
  }
  if (claim.type === "certificate") {
    const [entry, { want }] = await Promise.all([ledger.get(seenKey(of)), readWant(ledger, of)]);
    const secret = readSeen(entry)?.object;
    if (secret?.kind !== "Secret") return true; // its arrival marks its users
    const key = certificateKey(of.namespace, of.name);
    return claim.balancers.every((balancer) => want.resources[balancer]?.[key] !== undefined);
  }
  if (claim.type !== "domain" || of.kind !== "Domain") return false;
  const { want } = await readWant(ledger, of);
  if (want.holding?.type !== "domain" || want.holding.tenant !== claim.tenant) return false;
  return claim.balancers.every((balancer) => {
    const value = want.resources[balancer]?.[domainKey(of.name)]?.value;
    if (!isDomain(value)) return false;
    const passes = claim.passthrough === undefined || claim.passthrough === value.passthrough;
    return passes && claim.certificates.every((name) => value.certificates.includes(name));
  });
}

function isOfConnections(pool: unknown): boolean {
  const protocol = typeof pool === "object" && pool !== null && "protocol" in pool ? pool.protocol : undefined;
  return protocol === "tcp" || protocol === "udp";
}

function isDomain(value: unknown): value is { certificates: unknown[]; passthrough?: unknown } {
  return typeof value === "object" && value !== null && "certificates" in value && Array.isArray(value.certificates);
}
