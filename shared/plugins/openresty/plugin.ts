/** The plugin of OpenResty nodes: our resources as the node's admin API v2 takes them (ARCHITECTURE.md, "The node"). */
import { EntranceError } from "../../model/error.ts";
import { parseWith } from "../../model/parse.ts";
import type { SecretText } from "../../model/secret-text.ts";
import type { Plugin, Receipt } from "../port.ts";
import { conflictSchema, stateSchema } from "./answer.ts";
import { changesBody, snapshotBody } from "./body.ts";
import { type Open, opened } from "./opened.ts";

/** The node refuses a batch of more than 8 MiB; three quarters, since characters are not bytes. */
const maxChangesBytes = 6 * 1024 * 1024;
const maxChanges = 10_000;
/** A state with 1,000 rejections is about 300 KB. */
const maxAnswerBytes = 4 * 1024 * 1024;

export interface OpenRestyOptions {
  /** The nodes' key; undefined: none is configured, and nodes will answer 401. */
  readonly key: SecretText | undefined;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Aborts after so many milliseconds; the platform's own clock unless told otherwise. */
  readonly deadline?: (ms: number) => AbortSignal;
  readonly open: Open;
}

export function openResty(options: OpenRestyOptions): Plugin {
  const deadline = options.deadline ?? ((ms: number) => AbortSignal.timeout(ms));
  const call = async (method: string, url: string, body: string | undefined, timeoutMs: number): Promise<Receipt> => {
    const headers: Record<string, string> = { accept: "application/json" };
    if (options.key !== undefined) headers["authorization"] = `Bearer ${options.key.reveal()}`;
    if (body !== undefined) headers["content-type"] = method === "PUT" ? "application/x-ndjson" : "application/json";
    const init: RequestInit = { method, headers, signal: deadline(timeoutMs), redirect: "manual" };
    let response: Response;
    try {
      response = await options.fetch(url, body === undefined ? init : { ...init, body });
    } catch (error) {
      return { ok: false, reason: "unreachable", message: `no answer from the node: ${faultOf(error)}` };
    }
    return receiptOf(response);
  };
  return {
    state: (node, timeoutMs) => call("GET", `${node}/v2/state`, undefined, timeoutMs),
    deliver: async (node, delivery, timeoutMs) => {
      const tooLarge = {
        ok: false,
        reason: "too-large",
        message: "more changes than a node takes in one request",
      } as const;
      if (delivery.type === "changes" && delivery.resources.length > maxChanges) return tooLarge;
      const resources = await opened(delivery.resources, options.open);
      if (delivery.type === "snapshot") {
        return call("PUT", `${node}/v2/snapshot`, snapshotBody({ ...delivery, resources }), timeoutMs);
      }
      const body = changesBody({ ...delivery, resources });
      if (body.length > maxChangesBytes) return tooLarge;
      return call("POST", `${node}/v2/changes`, body, timeoutMs);
    },
  };
}

async function receiptOf(response: Response): Promise<Receipt> {
  let body: unknown;
  try {
    const text = await response.text();
    if (text.length > maxAnswerBytes) throw new EntranceError("too-large", "the answer is too long");
    body = JSON.parse(text);
  } catch {
    return {
      ok: false,
      reason: "refused",
      message: `the node answered ${response.status} with something that is no JSON`,
    };
  }
  if (response.status === 200) {
    const state = parseWith(stateSchema, body);
    return state.ok
      ? { ok: true, state: state.value }
      : { ok: false, reason: "refused", message: `the node's answer cannot be read: ${state.reason}` };
  }
  if (response.status === 409) {
    const conflict = parseWith(conflictSchema, body);
    if (conflict.ok) {
      const { reason, ...state } = conflict.value;
      return { ok: false, reason, state };
    }
  }
  return { ok: false, reason: "refused", message: `the node answered ${response.status}${sentenceOf(body)}` };
}

/** The node's own sentence, shortened; it never quotes values. */
function sentenceOf(body: unknown): string {
  if (typeof body !== "object" || body === null) return "";
  const message = "message" in body ? body.message : "error" in body ? body.error : undefined;
  return typeof message === "string" ? `: ${message.slice(0, 300)}` : "";
}

/** undici hides the cause ("fetch failed") one level down. */
function faultOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== "" ? cause.message : error.message;
}
