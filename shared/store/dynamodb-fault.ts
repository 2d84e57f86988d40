/** What AWS's client throws, in the store's terms. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html */
import { EntranceError } from "../model/error.ts";

export type Fault =
  /** A condition did not hold: the single action's, or of a transaction those at these places. */
  | { readonly type: "condition"; readonly places: readonly number[]; readonly version: string | undefined }
  /** Nothing happened; the same may be tried again after a while. */
  | { readonly type: "throttled" | "contended" | "unreached"; readonly says: string }
  /** It may have happened, or happen yet. */
  | { readonly type: "lost"; readonly says: string }
  /** Nothing happened, and trying again changes nothing. */
  | { readonly type: "final"; readonly error: EntranceError };

const throttled = new Set([
  "ProvisionedThroughputExceededException",
  "ThrottlingException",
  "ThrottlingError",
  "ProvisionedThroughputExceeded",
  "RequestLimitExceeded",
  "LimitExceededException",
  "TooManyRequestsException",
]);

/** Somebody else's transaction is at one of the same items. */
const contended = new Set(["TransactionConflictException", "TransactionConflict"]);

const misconfigured: Readonly<Record<string, string>> = {
  ResourceNotFoundException:
    "ENTRANCE_DYNAMODB_TABLE names no table of this account and region: infra/aws/table.yaml makes it",
  AccessDeniedException:
    "the role lacks a permission on ENTRANCE_DYNAMODB_TABLE: infra/aws/entrance.yaml lists what it needs",
  UnrecognizedClientException: "AWS does not know these credentials",
  InvalidSignatureException: "AWS does not accept these credentials",
  IncompleteSignatureException: "AWS does not accept these credentials",
  MissingAuthenticationTokenException: "there are no AWS credentials",
  ExpiredTokenException: "the AWS credentials have expired",
  CredentialsProviderError: "no AWS credentials were found",
};

export function faultOf(cause: unknown): Fault {
  const name = textOf(cause, "name") ?? "";
  const says = textOf(cause, "message") ?? String(cause);
  if (name === "ConditionalCheckFailedException") return { type: "condition", places: [0], version: versionIn(cause) };
  if (name === "TransactionCanceledException") return canceled(cause, says);
  if (throttled.has(name)) return { type: "throttled", says: name };
  if (contended.has(name)) return { type: "contended", says: name };
  // The client has learnt the server's time by this answer, and signs the next request by it.
  if (/Signature (expired|not yet current)/.test(says))
    return { type: "throttled", says: "this machine's clock is wrong" };
  const advice = misconfigured[name];
  if (advice !== undefined) {
    return { type: "final", error: new EntranceError("misconfigured", `DynamoDB: ${advice}`, { cause }) };
  }
  if (/Region is missing/.test(says)) {
    return { type: "final", error: new EntranceError("misconfigured", "DynamoDB: set AWS_REGION", { cause }) };
  }
  if (/^(ECONNREFUSED|ENOTFOUND)$/.test(textOf(cause, "code") ?? "")) return { type: "unreached", says };
  const status = statusOf(cause);
  // A client's fault that is none of these: what we sent is wrong.
  if (status !== undefined && status >= 400 && status < 500 && name !== "TransactionInProgressException") {
    return {
      type: "final",
      error: new EntranceError("internal", `DynamoDB refused a request: ${name}: ${says}`, { cause }),
    };
  }
  return { type: "lost", says: name === "" ? says : `${name}: ${says}` };
}

/** Several reasons may meet; only where every action was looked at are all conditions known that did not hold. */
function canceled(cause: unknown, says: string): Fault {
  const codes = listOf(cause, "CancellationReasons").map((reason) => textOf(reason, "Code") ?? "None");
  if (codes.some((code) => contended.has(code))) return { type: "contended", says: "TransactionConflict" };
  const slow = codes.find((code) => throttled.has(code));
  if (slow !== undefined) return { type: "throttled", says: slow };
  const places = codes.flatMap((code, index) => (code === "ConditionalCheckFailed" ? [index] : []));
  if (places.length > 0) return { type: "condition", places, version: undefined };
  const error = new EntranceError("internal", `DynamoDB canceled a transaction: ${says}`, { cause });
  return { type: "final", error };
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function textOf(value: unknown, name: string): string | undefined {
  const text = member(value, name);
  return typeof text === "string" ? text : undefined;
}

function listOf(value: unknown, name: string): readonly unknown[] {
  const list = member(value, name);
  return Array.isArray(list) ? list : [];
}

function statusOf(cause: unknown): number | undefined {
  const status = member(member(cause, "$metadata"), "httpStatusCode");
  return typeof status === "number" ? status : undefined;
}

/** Of the item that stood in the way. */
function versionIn(cause: unknown): string | undefined {
  return textOf(member(member(cause, "Item"), "w"), "S");
}
