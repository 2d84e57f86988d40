/**
 * The protocol with one of its checks taken out, each at a time. Every one of them must break an invariant that the
 * simulation sees; where it does not, the check or the simulation is worth nothing.
 */
import type { Mutation } from "./mutation.ts";
import type { Theme } from "./plan.ts";

export interface Mutant {
  readonly name: string;
  /** Where to look for what it breaks. */
  readonly themes: readonly Theme[];
  /** Numbers of the invariants (ARCHITECTURE.md), one of which must catch it; held: nodes stay as an operator has them. */
  readonly breaks: readonly (1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | "held")[];
  readonly changes: readonly Mutation[];
  /** A seed that found it once, to begin with: what it does changes with the code. */
  readonly foundBy?: number;
}

const reconcile = (file: string, find: string, put: string): Mutation => ({
  file: `shared/reconcile/${file}.ts`,
  find,
  put,
});

/** The model node's rules are the real node's. */
const node = (find: string, put: string): Mutation => ({ file: "test/harness/model-node.ts", find, put });

export const mutants: readonly Mutant[] = [
  {
    name: "no second look after the lock is freed",
    themes: ["calm"],
    breaks: [6],
    changes: [reconcile("turn", "if (marks.entries.length === 0) return undefined;", "if (context) return undefined;")],
  },
  {
    name: "what was read before the lock was taken again counts, whoever had it in between",
    themes: ["calm", "events"],
    breaks: [1, 2, 3, 6],
    foundBy: 9_592,
    changes: [
      reconcile("turn", "import { acquire, type HeldLock }", "import { tryAcquire, type HeldLock }"),
      reconcile("turn", "await acquire(context, freed)", "await tryAcquire(context)"),
    ],
  },
  {
    name: "what was recorded beside the commit that took the lock counts as known",
    themes: ["calm", "events"],
    breaks: [2, 6],
    changes: [
      reconcile(
        "turn",
        "if (mark.version === version || reference === undefined) continue;",
        "if (reference) continue;",
      ),
    ],
  },
  {
    name: "no look after a trigger that found the lock held",
    themes: ["calm"],
    breaks: [6],
    foundBy: 2321,
    changes: [
      reconcile(
        "trigger",
        "if (lock === undefined && counts.changed > 0 && reading?.takesLock !== false) lock = await tryAcquire(context);",
        "",
      ),
    ],
  },
  {
    name: "an answer before what it promises is durable",
    themes: ["crash", "store"],
    breaks: [5, 6],
    changes: [
      reconcile(
        "entrance",
        "const triggered = await trigger(this.context, observations);",
        "const triggered: Triggered = { lock: undefined, hints: [], counts: { changed: 0, moved: 0, old: 0, unknown: 0, hint: 0 } }; this.context.host.after(async () => { await trigger(this.context, observations); });",
      ),
    ],
  },
  {
    name: "marks taken off without their version",
    themes: ["calm", "freeze", "events"],
    breaks: [2],
    changes: [
      reconcile(
        "mark-book",
        "if (value === null) checks.push({ key, version: this.#done.get(name) ?? null });",
        "if (value === null) {}",
      ),
    ],
  },
  {
    name: "commits that do not check the lock",
    themes: ["freeze", "clocks"],
    breaks: [1, 2, 3],
    changes: [
      reconcile(
        "ledger",
        "commit([lockCheck, ...this.#rules, ...checks, ...marks.checks], writes)",
        "commit([...this.#rules, ...checks, ...marks.checks], writes)",
      ),
    ],
  },
  {
    name: "a fence that stands still",
    themes: ["crash"],
    breaks: [1],
    changes: [reconcile("lock", "fence: record.fence + 1,", "fence: record.fence,")],
  },
  {
    name: "a holder that is gone keeps the lock for ever",
    themes: ["crash"],
    breaks: [6],
    changes: [
      reconcile(
        "lock",
        'if (record.holder !== "" && now < record.expires + context.timing.clockMarginMs) return undefined;',
        'if (record.holder !== "") return undefined;',
      ),
    ],
  },
  {
    name: "the lock is freed by whoever believes to have it",
    themes: ["freeze", "store", "all"],
    breaks: [1],
    changes: [
      reconcile(
        "lock",
        "await context.store.commit([check], [{ key: lockKey, value: freeLockText(lock) }]);",
        "await context.store.commit([], [{ key: lockKey, value: freeLockText(lock) }]);",
      ),
    ],
  },
  {
    name: "nodes take snapshots that are older",
    themes: ["nodes", "freeze", "all"],
    breaks: [1],
    changes: [
      node(
        'return isOlder && node.checksRevision ? "older" : undefined;',
        'return isOlder && false ? "older" : undefined;',
      ),
    ],
  },
  {
    name: "nodes take changes of any base, whatever comes of them",
    themes: ["nodes", "all"],
    breaks: [1, 3],
    changes: [
      node("if (delivery.base > state.revision && node.checksRevision) return", "if (false) return"),
      node("if (digest !== target.digest && node.checksRevision) return", "if (false) return"),
    ],
  },
  {
    name: "nodes take older changes, whatever comes of them",
    themes: ["nodes", "freeze", "all"],
    breaks: [1, 3],
    changes: [
      node("if (target.revision < state.revision && node.checksRevision) return", "if (false) return"),
      node("if (digest !== target.digest && node.checksRevision) return", "if (false) return"),
    ],
  },
  {
    name: "who reads without a claim is not registered",
    themes: ["calm", "events"],
    breaks: [5, 6, 7],
    changes: [
      reconcile(
        "register",
        "writes.push({ key: userKey(reference, reader), value: userText(claim) });",
        "if (claim !== null) writes.push({ key: userKey(reference, reader), value: userText(claim) });",
      ),
    ],
  },
  {
    name: "a new pool's members come with the next commit",
    themes: ["calm", "events"],
    breaks: [7],
    changes: [
      reconcile("step", 'if (user.kind === "EndpointSlice" || given', "if (given"),
      reconcile("outcome", "if (isGaining && slices.length > 0 && hasRules(resources)) {", "if (false as boolean) {"),
    ],
  },
  {
    name: "slices marked behind the turn's place wait for the next round",
    themes: ["calm", "events", "crash"],
    breaks: [7],
    foundBy: 770,
    changes: [reconcile("turn", "place === undefined ? [] : await slicesBefore(context, place);", "[] as Entry[];")],
  },
  {
    name: "routes from further on do not wait for slices that were marked since",
    themes: ["calm"],
    breaks: [7],
    foundBy: 16_819,
    changes: [reconcile("turn", "behind.some(({ key }) => key.sort > slicesEnd) ? slicesEnd : after;", "after;")],
  },
  {
    name: "claims of a turn that died are taken as heard",
    themes: ["crash", "freeze", "all"],
    breaks: [6, 7],
    foundBy: 683,
    changes: [reconcile("step", "before.unfinished === true", "false")],
  },
  {
    name: "who goes on with a turn that died asks of other claims as if they were the first",
    themes: ["crash", "freeze", "all"],
    breaks: [5, 6],
    foundBy: 8480,
    changes: [
      reconcile(
        "register",
        "const known = isEqual(last ?? null, claim) ? undefined : last;",
        "const known = isResumed ? undefined : last;",
      ),
    ],
  },
  {
    name: "nodes that are to stay as they are get what is new",
    themes: ["nodes"],
    breaks: ["held"],
    changes: [
      reconcile(
        "push",
        "if (isAt(state, head) || head.frozen !== undefined) return undefined;",
        "if (isAt(state, head)) return undefined;",
      ),
      reconcile("push", "return mayBePushed(head) && head.frozen === undefined;", "return mayBePushed(head);"),
    ],
  },
  {
    name: "a poisoned object ends the turn",
    themes: ["calm"],
    breaks: [4, 6],
    changes: [reconcile("step", "await postpone(this.#context, this.#ledger, reference, error);", "throw error;")],
  },
  {
    name: "a new trigger leaves the old retry standing",
    themes: ["calm", "events"],
    breaks: [4],
    changes: [reconcile("trigger", "writes.push({ key: laterKey(subject.reference), value: null });", "")],
  },
  {
    name: "postponed marks never come back",
    themes: ["calm", "crash"],
    breaks: [2, 4, 6],
    changes: [reconcile("repair", "{ key: dirtyKey(reference), value: JSON.stringify({ first, tries }) },", "")],
  },
  {
    name: "an uncertain write is taken for a success",
    themes: ["store", "all"],
    breaks: [2, 5, 6],
    changes: [
      reconcile(
        "trigger",
        "const result = await context.store.commit(checks, writes);",
        'const result = await context.store.commit(checks, writes).catch(() => ({ ok: true, version: "0" }) as const);',
      ),
    ],
  },
  {
    name: "positions have no say",
    themes: ["events"],
    breaks: [1, 5],
    changes: [
      reconcile(
        "seen",
        "const order = comparePositions(record.position, known.position) || compareAtSamePosition(record, known);",
        "const order = Number(known.hash !== record.hash) + 0 * comparePositions(record.position, known.position) + 0 * compareAtSamePosition(record, known);",
      ),
    ],
  },
  {
    name: "the same position twice is news",
    themes: ["events"],
    breaks: [5],
    changes: [reconcile("seen", 'if (order <= 0) return { type: "old" };', 'if (order < 0) return { type: "old" };')],
  },
  {
    name: "a uid returns from the dead",
    themes: ["events", "crash"],
    breaks: [5],
    changes: [
      reconcile(
        "seen",
        "if (known.uid === record.uid && (known.gone || record.gone)) return endOf(known, record);",
        "",
      ),
    ],
  },
  {
    name: "a burial before the birth is forgotten",
    themes: ["events"],
    breaks: [5],
    foundBy: 7706,
    changes: [
      reconcile(
        "seen",
        'if (known.uid !== uid) return { type: "record", record: { ...known, ended: withEnded(known, uid) }, changed: false };',
        'if (known.uid !== uid) return { type: "unknown" };',
      ),
    ],
  },
  {
    name: "what was read is pushed without reading on",
    themes: ["calm", "freeze", "all", "nodes", "crash"],
    breaks: [3],
    changes: [
      reconcile(
        "history",
        "if (attempt > 0 && logged.size === 0) return",
        "if (attempt === 0) { for (const [name, keys] of logged) { changed.set(name, keys); const reference = parseReferenceKey(name); if (reference !== undefined) wants.set(name, (await readWant(store, reference)).want); } return { head, resources: valuesOf(balancer, changed, wants, head) }; } if (attempt > 0 && logged.size === 0) return",
      ),
    ],
  },
  {
    name: "a snapshot without the log of its reading",
    themes: ["calm", "nodes", "all", "crash"],
    breaks: [3],
    changes: [
      reconcile(
        "history",
        "if (logged.size === 0) return { head, resources: checked(balancer, wants, head) };",
        "return { head, resources: checked(balancer, wants, head) };",
      ),
    ],
  },
  {
    name: "revisions remembered with gaps",
    themes: ["calm", "freeze", "all", "crash"],
    breaks: [3],
    foundBy: 330,
    changes: [reconcile("recent", "if (!follows) this.#committed.length = 0;", "")],
  },
  {
    name: "nodes are never asked for their digest",
    themes: ["nodes"],
    breaks: [6],
    changes: [
      reconcile(
        "push",
        "if (ask || !isAt(memory.state, head)) memory.state",
        "if (!isAt(memory.state, head)) memory.state",
      ),
    ],
  },
  {
    name: "what is below the floor is taken for true",
    themes: ["api", "all"],
    breaks: [5],
    changes: [
      reconcile(
        "floor",
        '  return resourceVersion !== "0" && comparePositions(',
        "  return false && comparePositions(",
      ),
    ],
  },
  {
    name: "what was read before a LIST is taken for true after it",
    themes: ["calm", "freeze", "upgrade", "api"],
    breaks: [5],
    changes: [
      reconcile(
        "trigger",
        "reading ? isPast(floor, reading, isKnown)",
        "reading ? false && isPast(floor, reading, isKnown)",
      ),
    ],
  },
  {
    name: "a cluster that went back is listed as if it had gone on",
    themes: ["restore"],
    breaks: [5, 6],
    changes: [
      reconcile(
        "list",
        "if (isBelow(resourceVersion, floor) || isBelow(resourceVersion, newest)) return undefined;",
        "",
      ),
      reconcile("list", "if (last !== undefined && contradicts(last, identity.value, end)) return undefined;", ""),
    ],
  },
  {
    name: "a LIST that has nothing is believed at once",
    themes: ["api"],
    breaks: [7],
    changes: [
      reconcile(
        "list",
        "alive * fewDeletionsShare) && !claim.isConfirming) {",
        "alive * fewDeletionsShare) && (false as boolean)) {",
      ),
    ],
  },
  {
    name: "a store that went back is pushed before everything is listed",
    themes: ["restore"],
    breaks: [7],
    changes: [
      reconcile("restore", "const complete = context.kubernetes === undefined;", "const complete = true as boolean;"),
    ],
  },
  {
    name: "a store that went back keeps its epoch",
    themes: ["restore"],
    breaks: [6],
    changes: [reconcile("restore", "epoch: state.epoch + 1,", "epoch: head.epoch,")],
  },
  {
    name: "nodes take any epoch, whatever comes of it",
    themes: ["restore"],
    breaks: [1, 3],
    changes: [
      node('if (target.epoch !== state.epoch) return "epoch";', ""),
      node('if (target.epoch < state.epoch) return "epoch";', ""),
      node("if (digest !== target.digest && node.checksRevision) return", "if (false) return"),
    ],
  },
  {
    name: "the first answer of a read back is the last",
    themes: ["calm"],
    breaks: [6],
    changes: [reconcile("hint", 'if (wish.what === "any") return false;', "if (wish.what) return true;")],
  },
  {
    name: "a review is allowed before its hint is durable",
    themes: ["calm", "api", "crash"],
    breaks: [2],
    changes: [
      reconcile(
        "entrance",
        "await leaveHints(this.context, [observation.reference], wish);",
        "host.after(() => leaveHints(this.context, [observation.reference], wish));",
      ),
    ],
  },
  {
    name: "nobody looks after the hints of those who died",
    themes: ["api", "crash"],
    breaks: [6],
    changes: [reconcile("entrance", "await this.#readBack.tick();", "")],
  },
  {
    name: "rules that were replaced go on committing",
    themes: ["upgrade"],
    breaks: [5, 6],
    changes: [
      reconcile("turn", "ledger.abide(rules);", ""),
      reconcile("rules", "if (entry !== undefined) compareRules(context, readRules(entry), rulesOf(context));", ""),
    ],
  },
  {
    name: "newer rules mark nothing",
    themes: ["upgrade"],
    breaks: [5, 6],
    changes: [reconcile("rules", "await markEverything(context);", "")],
  },
  {
    name: "a Secret that something begins to refer to is read by the next LIST",
    themes: ["calm", "api"],
    breaks: [6],
    changes: [
      reconcile(
        "register",
        "if (await ledger.isEmpty(usersPartition(reference))) first.push({ ...reference, kind });",
        "void kind;",
      ),
    ],
  },
  {
    name: "nothing is listed after the first time",
    themes: ["api"],
    breaks: [5, 6],
    changes: [
      reconcile(
        "list-tick",
        "const { suspectedAt, suspectedBy } = tick;",
        "const { suspectedAt, suspectedBy } = tick; if (tick.finished > 0) return undefined;",
      ),
    ],
  },
];
