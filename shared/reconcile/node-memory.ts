/** What a process remembers of one node between deliveries: it saves questions, and nothing else depends on it. */
import type { NodeState, Receipt } from "../plugins/port.ts";
import type { Head } from "./head.ts";

export interface NodeMemory {
  state: NodeState | undefined;
  failures: number;
  /** Ms since 1970: not tried before, after failures. */
  notBefore: number;
  error: string | undefined;
  /** Another store, whose node it is: the error says so. */
  belongsTo: string | undefined;
  /** This process has just made it durable, and has not sent it yet. */
  committed: Head | undefined;
  /** The error that the store's record tells; null: a process before this one may have left any. */
  recorded: string | undefined | null;
  /** Ms since 1970. */
  answeredAt: number | undefined;
  /** The last revision that it told of, whether it answers by now or not. */
  revision: number | undefined;
  /** Ms since 1970, when it was found not to be at its head; undefined: it was there when it was looked at last. */
  behindSince: number | undefined;
}

/** Of a node that was never asked. */
export function nothingKnown(): NodeMemory {
  return {
    state: undefined,
    failures: 0,
    notBefore: 0,
    error: undefined,
    committed: undefined,
    belongsTo: undefined,
    recorded: null,
    answeredAt: undefined,
    revision: undefined,
    behindSince: undefined,
  };
}

/** Takes in what a node answered at `now` (ms since 1970). Undefined: it told where it is; otherwise what it told instead. */
export function learn(memory: NodeMemory, receipt: Receipt, now: number): string | undefined {
  if (!receipt.ok && !("state" in receipt)) {
    memory.state = undefined;
    return receipt.message;
  }
  memory.state = receipt.state;
  memory.revision = receipt.state.revision;
  memory.belongsTo = undefined;
  memory.answeredAt = now;
  return undefined;
}

/** Once, and only as the next step from where the node is: what is newer by now is read and sent after it. */
export function justCommitted(memory: NodeMemory): Head | undefined {
  const { state, committed } = memory;
  memory.committed = undefined;
  const isNext =
    state !== undefined &&
    committed?.store === state.store &&
    committed.epoch === state.epoch &&
    committed.revision > state.revision;
  return isNext ? committed : undefined;
}

export function isAt(state: NodeState | undefined, head: Head): boolean {
  return (
    state !== undefined &&
    state.store === head.store &&
    state.epoch === head.epoch &&
    state.revision === head.revision &&
    state.digest === head.digest
  );
}
