/** The one error type for what is unexpected; expected outcomes are unions. */

/** The closed set of codes. `functions/app.ts` maps each to one HTTP status; nothing else does. */
export type ErrorCode =
  | "invalid" // the caller sent something that cannot be used: says what to change
  | "unauthenticated" // no token, or a wrong one
  | "not-found"
  | "method-not-allowed"
  | "too-large"
  | "busy" // too much at once: try again after `retryAfterSeconds`
  | "uncertain" // a write may or may not have happened: try again, all writes are idempotent
  | "unavailable" // a store or a peer does not answer
  | "misconfigured" // a setting must change before this can work
  | "forbidden" // a peer does not let us do this: a role must change before it can work
  | "internal"; // a broken invariant: a bug of ours

export class EntranceError extends Error {
  override readonly name = "EntranceError";
  readonly code: ErrorCode;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; retryAfterSeconds?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** Throws `internal` when an invariant does not hold (DESIGN of the protocol: ARCHITECTURE.md, "Invariants"). */
export function invariant(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new EntranceError("internal", `invariant broken: ${sentence}`);
}
