/**
 * Is there one order of all operations, true to the time in which they ran, that explains every answer?
 * The search of Wing and Gong (Testing and Verifying Concurrent Objects, 1993) with Lowe's memory of the
 * configurations already seen (Testing for Linearizability, 2017), for conditional commits of several keys.
 */

/** A value, different for every write in a history; null: absent. */
export type Content = string | null;

export interface Operation {
  readonly client: number;
  /** The call came after `start` and was answered before `end`, on one clock; Infinity: never answered. */
  readonly start: number;
  readonly end: number;
  readonly action: Read | Commit;
}

export interface Read {
  readonly kind: "read";
  readonly key: string;
  readonly found: Content;
}

export interface Commit {
  readonly kind: "commit";
  readonly expects: ReadonlyMap<string, Content>;
  readonly writes: ReadonlyMap<string, Content>;
  /** A list: nothing was written, these did not hold. `unknown`: it may have happened, or may happen yet. */
  readonly outcome: "ok" | "unknown" | readonly string[];
}

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly stuckAt: readonly Operation[] };

type State = ReadonlyMap<string, string>;

/** A point of the search: all operations before `first` and those in `ahead` have taken effect. */
interface Configuration {
  readonly first: number;
  readonly ahead: ReadonlySet<number>;
  readonly state: State;
}

/** `stuckAt`: the operations of which none can come next, where the longest possible order ends. */
export function checkLinearizable(history: readonly Operation[], initial: State = new Map()): Verdict {
  const operations = history.toSorted((a, b) => a.start - b.start);
  const stack: Configuration[] = [{ first: 0, ahead: new Set(), state: initial }];
  const seen = new Set<string>();
  let furthest = -1;
  let stuckAt: readonly Operation[] = [];
  for (let here = stack.pop(); here; here = stack.pop()) {
    const candidates = candidatesOf(operations, here);
    // What was never answered need not have happened.
    if (candidates.every(({ operation }) => operation.end === Infinity)) return { ok: true };
    if (here.first + here.ahead.size > furthest) {
      furthest = here.first + here.ahead.size;
      stuckAt = candidates.map(({ operation }) => operation);
    }
    const next: Configuration[] = [];
    for (const { index, operation } of candidates) {
      const state = apply(operation.action, here.state);
      if (!state) continue;
      // What fits now and changes nothing may as well come now: no other order can need it later.
      if (state === here.state) next.length = 0;
      next.push({ ...advance(here, index), state });
      if (state === here.state) break;
    }
    for (const configuration of next) {
      const name = nameOf(configuration);
      if (!seen.has(name)) stack.push(configuration);
      seen.add(name);
    }
  }
  return { ok: false, stuckAt };
}

/** Those that started before any other that is left had ended. */
function candidatesOf(operations: readonly Operation[], { first, ahead }: Configuration) {
  const candidates: { index: number; operation: Operation }[] = [];
  let earliestEnd = Infinity;
  for (let index = first; ; index++) {
    const operation = operations[index];
    if (!operation || operation.start > earliestEnd) return candidates;
    if (ahead.has(index)) continue;
    earliestEnd = Math.min(earliestEnd, operation.end);
    candidates.push({ index, operation });
  }
}

function advance({ first, ahead }: Configuration, index: number): { first: number; ahead: ReadonlySet<number> } {
  const done = new Set(ahead).add(index);
  let next = first;
  while (done.delete(next)) next++;
  return { first: next, ahead: done };
}

/** The state after the action, or undefined if it would have been answered otherwise. */
function apply(action: Read | Commit, state: State): State | undefined {
  if (action.kind === "read") return contentOf(state, action.key) === action.found ? state : undefined;
  const { expects, writes, outcome } = action;
  const conflicts = [...expects].filter(([key, content]) => contentOf(state, key) !== content).map(([key]) => key);
  if (outcome !== "ok" && outcome !== "unknown") {
    const same = conflicts.length > 0 && new Set(outcome).size === conflicts.length;
    return same && conflicts.every((key) => outcome.includes(key)) ? state : undefined;
  }
  if (conflicts.length > 0) return undefined;
  if (writes.size === 0) return state;
  const after = new Map(state);
  for (const [key, content] of writes) {
    if (content === null) after.delete(key);
    else after.set(key, content);
  }
  return after;
}

function contentOf(state: State, key: string): Content {
  return state.get(key) ?? null;
}

function nameOf({ first, ahead, state }: Configuration): string {
  return JSON.stringify([first, [...ahead].sort((a, b) => a - b), [...state].sort(([a], [b]) => (a < b ? -1 : 1))]);
}
