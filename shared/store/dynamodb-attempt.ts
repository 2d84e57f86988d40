/** A request to DynamoDB, sent until it is answered, it can't be or the time is over; and what is said when it is not. */
import { EntranceError } from "../model/error.ts";
import { Deadline, pause } from "./deadline.ts";
import { type Fault, faultOf } from "./dynamodb-fault.ts";

/** One answer. A transaction of 40 items takes some tens of milliseconds. */
const callMs = 2_000;
/** Between attempts at random up to these, as AWS advises: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
export const firstPauseMs = 25;
export const maxPauseMs = 500;

type Send<T> = (options: { abortSignal: AbortSignal }) => Promise<T>;

/** Until it is answered or the time is over: for what may happen twice. */
export function untilAnswered<T>(send: Send<T>): Promise<T> {
  return attempted(
    send,
    () => {
      throw new EntranceError("internal", "DynamoDB refused a read by a condition");
    },
    true,
  );
}

/**
 * Sends until there is an answer. `onCondition` says what a condition means that did not hold, `wasLost`: after an
 * attempt that may have happened, or may yet; undefined: that can't be told.
 */
export async function attempted<T>(
  send: Send<T>,
  onCondition: (fault: Extract<Fault, { type: "condition" }>, wasLost: boolean) => T | undefined,
  isRead = false,
): Promise<T> {
  const deadline = new Deadline();
  let wasLost = false;
  for (let ceiling = firstPauseMs; ; ceiling = Math.min(ceiling * 2, maxPauseMs)) {
    let fault: Fault;
    try {
      return await send({ abortSignal: AbortSignal.timeout(Math.min(callMs, deadline.left())) });
    } catch (cause) {
      fault = faultOf(cause);
      if (fault.type === "condition") {
        const told = onCondition(fault, wasLost);
        if (told !== undefined) return told;
        throw uncertain("an answer was lost, and others have written since", cause);
      }
      if (fault.type === "lost" && !isRead) wasLost = true;
      if (fault.type === "final") throw wasLost ? uncertain(fault.error.message, cause) : fault.error;
      if (deadline.isNear()) throw wasLost ? uncertain(fault.says, cause) : gaveUp(fault, cause);
    }
    await pause(Math.random() * ceiling);
  }
}

function uncertain(says: string, cause: unknown): EntranceError {
  const sentence = `DynamoDB did not say whether the commit happened: ${says}`;
  return new EntranceError("uncertain", sentence, { cause, retryAfterSeconds: 1 });
}

export function gaveUp(fault: Exclude<Fault, { type: "condition" | "final" }>, cause: unknown): EntranceError {
  if (fault.type === "lost" || fault.type === "unreached") {
    return new EntranceError("unavailable", `DynamoDB does not answer: ${fault.says}`, { cause });
  }
  const sentence =
    fault.type === "throttled"
      ? `DynamoDB takes no more at the moment (${fault.says}): try again`
      : "DynamoDB: others write the same items all the time: try again";
  return new EntranceError("busy", sentence, { cause, retryAfterSeconds: fault.type === "throttled" ? 5 : 1 });
}
