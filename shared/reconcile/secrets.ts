/** Secrets are read by name, and only those that something refers to: most of a cluster's are nobody's business. */
import type { ListPage } from "../kubernetes/port.ts";
import { EntranceError } from "../model/error.ts";
import type { Observation, SeenReference } from "../model/observation.ts";
import { describeReference, parseReferenceKey, type Reference, referenceKey } from "../model/reference.ts";
import { entriesOf } from "../store/entries.ts";
import type { Entry, Store } from "../store/port.ts";
import { hintText } from "./hint.ts";
import { dirtyKey, laterKey, referredKey, seenKey, usersPartition, wantPartition } from "./keys.ts";
import { markText } from "./mark.ts";
import type { Context } from "./settings.ts";
import { readWant } from "./want.ts";

/** Instead of a LIST, which would need a role that allows to read all of them. */
export interface ListedSecrets extends ListPage {
  /** Those that no role allows to read: what was known of them stays. */
  readonly closed: readonly SeenReference[];
  /** Those that the API could not tell of, such as one that it can't decrypt: what was known of them stays, too. */
  readonly failed: readonly SeenReference[];
  /** referenceKeys of those that are known, and that nothing refers to. */
  readonly strangers: ReadonlySet<string>;
}

interface Known {
  readonly reference: SeenReference;
  readonly entry: Pick<Entry, "key" | "version">;
}

/** Side by side; the API takes hundreds a second from one client. */
const atOnce = 16;
/** More than these have one fault in common: the API is away, and so the LIST fails. */
const maxFailed = 8;
/** Kinds whose objects refer to Secrets. */
const referring = ["Ingress", "Service"] as const;
/** What was seen, a mark, a postponed mark and a hint each. */
const forgottenPerCommit = 8;

export async function isReferredTo(store: Store, secret: Reference): Promise<boolean> {
  return (await store.list(usersPartition(secret), undefined, 1)).entries.length > 0;
}

/** Of hints, those that are worth reading back; all Secrets of a namespace at once may be. */
export async function withoutStrangers(
  { store }: Context,
  hints: readonly SeenReference[],
): Promise<readonly SeenReference[]> {
  const kept = await Promise.all(
    hints.map(async (hint) => hint.kind !== "Secret" || hint.name === "" || (await isReferredTo(store, hint))),
  );
  return hints.filter((_, index) => kept[index]);
}

/** All Secrets that something refers to. Throws what the store and the API throw. */
export async function listSecrets(context: Context, known: Iterable<Known>): Promise<ListedSecrets> {
  const { kubernetes } = context;
  if (kubernetes === undefined) throw new EntranceError("misconfigured", "there is no API to list");
  // None of what is read after it is older, and all of it counts as read then.
  const { resourceVersion } = await kubernetes.api.list("Namespace", 1);
  const referred = await referredTo(context);
  const queue = [...referred.values()];
  const items: unknown[] = [];
  const unread: SeenReference[] = [];
  const failed: SeenReference[] = [];
  const workers = Array.from({ length: atOnce }, async () => {
    for (let secret = queue.shift(); secret !== undefined; secret = queue.shift()) {
      const { namespace, name } = secret;
      try {
        const page = await kubernetes.api.list("Secret", 1, { named: { namespace, name }, since: resourceVersion });
        items.push(...page.items);
      } catch (error) {
        if (isForbidden(error)) unread.push(secret);
        else if (!isAway(error) || failed.push(secret) > maxFailed) throw error;
        else context.warn(`the LIST goes on without ${describeReference(secret)}: ${error.message}`);
      }
    }
  });
  await Promise.all(workers);
  const count = unread.length + failed.length;
  if (count > 0) context.counters.add("entrance_unreadable_secrets_total", {}, count);
  const strangers = new Set<string>();
  for (const { reference } of known) {
    if (!referred.has(referenceKey(reference))) strangers.add(referenceKey(reference));
  }
  return { resourceVersion, items, next: undefined, closed: unread, failed, strangers };
}

/** By referenceKey. */
async function referredTo({ store }: Context): Promise<Map<string, SeenReference>> {
  const secrets = new Map<string, SeenReference>();
  for (const kind of referring) {
    for await (const entry of entriesOf(store, wantPartition(kind))) {
      const user = parseReferenceKey(`${kind}/${entry.key.sort}`);
      if (user === undefined) continue;
      const { want } = await readWant(store, user, entry);
      for (const used of Object.keys(want.uses)) {
        const secret = used.startsWith("Secret/") ? parseReferenceKey(used) : undefined;
        if (secret !== undefined) secrets.set(used, { ...secret, kind: "Secret" });
      }
    }
  }
  return secrets;
}

/** No private key is kept longer than something refers to it. Whoever begins to refer to it just now finds the hint. */
export async function forgetSecrets(context: Context, strangers: readonly Known[]): Promise<void> {
  const { store, now } = context;
  for (let start = 0; start < strangers.length; start += forgottenPerCommit) {
    const candidates = strangers.slice(start, start + forgottenPerCommit);
    // By now, since what refers to it may have come in the middle of the LIST.
    const isUsed = await Promise.all(candidates.map(({ reference }) => isReferredTo(store, reference)));
    const group = candidates.filter((_, index) => isUsed[index] === false);
    if (group.length === 0) continue;
    const marks = await Promise.all(group.map(({ reference }) => store.get(dirtyKey(reference))));
    const writes = group.flatMap(({ reference }, index) => [
      { key: seenKey(reference), value: null },
      { key: dirtyKey(reference), value: markText(now(), marks[index]) },
      { key: laterKey(reference), value: null },
      { key: referredKey(reference), value: hintText(context, undefined) },
    ]);
    // What changed meanwhile is looked at by the next LIST.
    await store.commit(
      group.map(({ entry: { key, version } }) => ({ key, version })),
      writes,
    );
  }
}

/** What is known of a Secret that may not be read: older than anything that is ever read of it. */
export function closed(reference: SeenReference): Extract<Observation, { type: "unusable" }> {
  const { namespace } = reference;
  const reason = `Entrance may not read it: let a role allow to get secrets in the namespace ${namespace}`;
  return { type: "unusable", reference, uid: "", position: { resourceVersion: "0", step: 0 }, reason };
}

function isAway(error: unknown): error is EntranceError {
  return error instanceof EntranceError && error.code === "unavailable";
}

export function isForbidden(error: unknown): boolean {
  return error instanceof EntranceError && error.code === "forbidden";
}
