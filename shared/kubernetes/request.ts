/** One request to the API, as often as it takes: bounded in time, tries and bytes. */
import * as v from "valibot";
import { EntranceError } from "../model/error.ts";
import type { Access } from "./access.ts";
import { readBounded } from "./bounded.ts";

export interface KubernetesRequest {
  readonly method: "GET" | "PATCH" | "POST" | "PUT";
  /** From the API's root, with its query. */
  readonly path: string;
  readonly body?: { readonly type: string; readonly json: unknown };
  /** For people: `list services`, `patch the status of Ingress shop/web`. */
  readonly what: string;
  readonly limits: Limits;
}

export interface Limits {
  readonly tryMs: number;
  /** All tries with their pauses. */
  readonly wholeMs: number;
  readonly maxBytes: number;
}

/** What the API says in so many words; whatever else it does is thrown. */
export type KubernetesAnswer =
  | { readonly type: "done"; readonly json: unknown }
  | { readonly type: "absent" }
  /** 409: somebody else has written it meanwhile, or it is there already. */
  | { readonly type: "conflict" }
  /** 410: the page, or the version, is too old. */
  | { readonly type: "expired" }
  /** 400, 422: another request would be needed. */
  | { readonly type: "invalid"; readonly reason: string }
  | { readonly type: "too-large" };

const firstPauseMs = 100;
const maxPauseMs = 5_000;
/** With less than this left nothing is tried again. */
const nearMs = 50;
const userAgent = "entrance";

const Status = v.object({ reason: v.optional(v.string(), ""), message: v.optional(v.string(), "") });

/**
 * | answer                     | then                                                     |
 * |----------------------------|----------------------------------------------------------|
 * | none, 500, 502, 503, 504   | again: a GET or a PATCH done twice is a GET or a PATCH   |
 * | 429                        | again, when it says                                      |
 * | 401                        | once more, with the token as it is now                   |
 * | 403, 404 of a whole kind … | thrown: a setting or a role must change                  |
 */
export async function send(access: Access, request: KubernetesRequest): Promise<KubernetesAnswer> {
  const deadline = performance.now() + request.limits.wholeMs;
  let pauseMs = firstPauseMs;
  let isRefused = false;
  for (;;) {
    const left = deadline - performance.now();
    const outcome = await attempt(access, request, Math.min(request.limits.tryMs, left), isRefused);
    if (outcome.type !== "again") return outcome;
    if (outcome.token === true) {
      if (isRefused) throw refused(request);
      isRefused = true;
      continue;
    }
    const wait = Math.min(outcome.afterMs ?? pauseMs, maxPauseMs);
    if (deadline - performance.now() - wait < nearMs) {
      throw new EntranceError("unavailable", `cannot ${request.what}: ${outcome.reason}`, { cause: outcome.cause });
    }
    await access.wait(wait);
    pauseMs = Math.min(pauseMs * 2, maxPauseMs);
  }
}

type Outcome =
  | KubernetesAnswer
  | {
      readonly type: "again";
      readonly reason: string;
      readonly afterMs?: number | undefined;
      readonly cause?: unknown;
      /** With another token. */
      readonly token?: true;
    };

async function attempt(access: Access, request: KubernetesRequest, ms: number, isRefused: boolean): Promise<Outcome> {
  let response: Response;
  let text: string | undefined;
  try {
    response = await access.fetch(access.url + request.path, {
      method: request.method,
      headers: await headersOf(access, request, isRefused),
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body.json) }),
      // It would carry the token away.
      redirect: "manual",
      signal: AbortSignal.timeout(Math.max(1, Math.ceil(ms))),
    });
    text = await readBounded(response, request.limits.maxBytes);
  } catch (cause) {
    if (cause instanceof EntranceError) throw cause;
    return { type: "again", reason: `the Kubernetes API does not answer (${sentenceOf(cause)})`, cause };
  }
  return text === undefined ? { type: "too-large" } : read(request, response, text);
}

async function headersOf(
  access: Access,
  request: KubernetesRequest,
  isRefused: boolean,
): Promise<Record<string, string>> {
  const token = await access.token(isRefused);
  return {
    accept: "application/json",
    "user-agent": userAgent,
    ...(token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` }),
    ...(request.body === undefined ? {} : { "content-type": request.body.type }),
  };
}

function read(request: KubernetesRequest, response: Response, text: string): Outcome {
  const json = parseJson(text);
  if (response.ok) {
    if (json !== undefined) return { type: "done", json };
    return { type: "again", reason: "it answers with something that is no JSON: is ENTRANCE_KUBE_API its address?" };
  }
  const { status } = response;
  const said = v.safeParse(Status, json);
  const reason = said.success ? said.output.reason : "";
  switch (status) {
    case 401:
      return { type: "again", reason: "its token is not taken", token: true };
    case 403:
      throw new EntranceError("forbidden", `may not ${request.what}: its role (RBAC) must allow that`);
    case 404:
      return { type: "absent" };
    case 409:
      return { type: "conflict" };
    case 410:
      return { type: "expired" };
    case 400:
    case 422:
      return { type: "invalid", reason: said.success ? said.output.message : `status ${status}` };
    case 413:
      return { type: "too-large" };
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      return { type: "again", reason: `status ${status} ${reason}`.trim(), afterMs: retryAfterMs(response) };
    default:
      throw new EntranceError("unavailable", `cannot ${request.what}: status ${status} ${reason}`.trim());
  }
}

function refused(request: KubernetesRequest): EntranceError {
  const sentence = `cannot ${request.what}: the Kubernetes API does not take our token or certificate: see ENTRANCE_KUBE_TOKEN_FILE`;
  return new EntranceError("misconfigured", sentence);
}

/** The API says whole seconds. */
function retryAfterMs(response: Response): number | undefined {
  const text = response.headers.get("retry-after");
  return text !== null && /^\d{1,5}$/.test(text) ? Number(text) * 1_000 : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Node says in its cause why a fetch failed. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
