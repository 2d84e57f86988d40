/** How long a request may take, and how often it is tried. */
import { type Retry, retrySchema, type Timeouts, timeoutsSchema } from "../../model/retry.ts";
import { type Annotations, listed, numberIn } from "./annotations.ts";

const durationForm = "a duration such as 30s, 500ms or 1m30s";

/** `request-timeout`, `backend-timeout`. */
export function timeoutsOf(annotations: Annotations): Timeouts | undefined {
  const { entries } = timeoutsSchema;
  const asIs = (text: string) => text;
  const request = annotations.readAs("request-timeout", durationForm, entries.request, asIs);
  const backendRequest = annotations.readAs("backend-timeout", durationForm, entries.backendRequest, asIs);
  if (request === undefined && backendRequest === undefined) return undefined;
  return { ...(request && { request }), ...(backendRequest && { backendRequest }) };
}

/** `retries`: tries after the first; `retry-on`: statuses; `retry-backoff`. */
export function retryOf(annotations: Annotations): Retry | undefined {
  const { entries } = retrySchema;
  annotations.needs("retry-on", "retries");
  annotations.needs("retry-backoff", "retries");
  const attempts = annotations.readAs("retries", "a number from 0 to 5", entries.attempts, numberIn);
  const codes = annotations.readAs("retry-on", "some of 500,502,503,504", entries.codes, (text) =>
    listed(text).map(numberIn),
  );
  const backoff = annotations.readAs("retry-backoff", `${durationForm}, at most 10s`, entries.backoff, (text) => text);
  if (attempts === undefined) return undefined;
  return { attempts, ...(codes && { codes }), ...(backoff && { backoff }) };
}
