/** Makes an object a user of what its translation is about to read, in a commit before the reading. */
import { canonicalJson } from "../model/canonical.ts";
import { EntranceError } from "../model/error.ts";
import { isContest, type Reference, referenceKey } from "../model/reference.ts";
import { domainKey } from "../model/resource-key.ts";
import type { Store, Write } from "../store/port.ts";
import type { Claim, Read } from "../translate/translation.ts";
import { poolsOf } from "./answer.ts";
import type { Holder } from "./holder.ts";
import { dirtyKey, laterKey, seenKey, userKey, wantKey } from "./keys.ts";
import { markText } from "./mark.ts";
import { readSeen } from "./seen.ts";
import type { Context } from "./settings.ts";
import { userText } from "./users.ts";
import { readWant, type StoredWant, type Want, wantWrites } from "./want.ts";

/** Three keys each, beside the want with its parts and the lock. */
const readsPerCommit = 4;

export interface Registered {
  readonly stored: StoredWant;
  /** Objects whose claims changed in a way that changes what they want: translate them before reading them. */
  readonly claimed: readonly Reference[];
}

/**
 * Adds `reader` to the users of everything it reads, and what it claims. The want's `uses` change in the same commit,
 * so that a crash at any point leaves a user record only where the want tells of it, and it can be taken back.
 */
export async function register(
  context: Context,
  holder: Holder,
  reader: Reference,
  before: StoredWant,
  reads: readonly Read[],
): Promise<Registered> {
  const fresh = reads.filter((read) => {
    const known = before.want.uses[referenceKey(read.reference)];
    return known === undefined || canonicalJson(known) !== canonicalJson(read.claim ?? null);
  });
  const claimed: Reference[] = [];
  let stored = before;
  for (let start = 0; start < fresh.length; start += readsPerCommit) {
    const uses: Record<string, Claim | null> = { ...stored.want.uses };
    const writes: Write[] = [];
    for (const read of fresh.slice(start, start + readsPerCommit)) {
      const claim = read.claim ?? null;
      const last = uses[referenceKey(read.reference)];
      writes.push({ key: userKey(read.reference, reader), value: userText(claim) });
      if ((claim !== null || last) && !(await holdsAlready(context.store, read.reference, last, claim))) {
        writes.push({ key: dirtyKey(read.reference), value: markText(context.now(), undefined) });
        writes.push({ key: laterKey(read.reference), value: null });
        claimed.push(read.reference);
      }
      uses[referenceKey(read.reference)] = claim;
    }
    const want: Want = { ...stored.want, uses };
    const put = wantWrites(reader, stored, want, context.randomId());
    const result = await holder.commit([{ key: wantKey(reader), version: stored.version }], [...put.writes, ...writes]);
    if (!result.ok) throw new EntranceError("busy", "a want changed beside the turn");
    stored = { want, version: result.version, parts: put.parts };
  }
  return { stored, claimed };
}

/** Whether a first claim asks for nothing that is not there already, so that nobody has to be translated for it. */
async function holdsAlready(
  store: Store,
  of: Reference,
  last: Claim | null | undefined,
  claim: Claim | null,
): Promise<boolean> {
  if (last !== undefined || claim === null) return false;
  if (claim.type === "pool") {
    const [entry, { want }] = await Promise.all([store.get(seenKey(of)), readWant(store, of)]);
    const service = readSeen(entry)?.object;
    if (service?.kind !== "Service") return true; // nothing to make a pool of: its arrival marks its users
    const pools = poolsOf(want);
    return claim.uses.every(({ balancer, port }) => {
      const number = service.ports.find((each) => each.port === port || each.name === port)?.port;
      return number === undefined || pools[balancer]?.includes(number) === true;
    });
  }
  if (claim.type !== "domain" || !isContest(of.kind)) return false;
  const { want } = await readWant(store, of);
  if (want.holding?.type !== "domain" || want.holding.tenant !== claim.tenant) return false;
  return claim.balancers.every((balancer) => {
    const value = want.resources[balancer]?.[domainKey(of.name)]?.value;
    const certificates = isCertificates(value) ? value.certificates : undefined;
    return certificates !== undefined && claim.certificates.every((name) => certificates.includes(name));
  });
}

function isCertificates(value: unknown): value is { certificates: unknown[] } {
  return typeof value === "object" && value !== null && "certificates" in value && Array.isArray(value.certificates);
}
