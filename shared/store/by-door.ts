/** The store of an Entrance that runs, by its door POST /store. */
import * as v from "valibot";
import { EntranceError } from "../model/error.ts";
import type { SecretText } from "../model/secret-text.ts";
import { checkCommit, checkKey, checkList } from "./limits.ts";
import { maxPageSize, type Store } from "./port.ts";

export interface DoorSettings {
  /** `http://HOST:PORT` or `https://HOST:PORT`. */
  readonly url: string;
  readonly token: SecretText | undefined;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
}

/** The store behind the door gives up after five seconds. */
const answerMs = 15_000;

const key = v.object({ partition: v.string(), sort: v.string() });
const entry = v.object({ key, value: v.string(), version: v.string() });
const found = v.object({ result: v.nullable(entry) });
const page = v.object({
  result: v.object({ entries: v.pipe(v.array(entry), v.maxLength(maxPageSize)), next: v.optional(v.string()) }),
});
const committed = v.object({
  result: v.variant("ok", [
    v.object({ ok: v.literal(true), version: v.string() }),
    v.object({ ok: v.literal(false), conflicts: v.array(key) }),
  ]),
});
/** What a store throws, and the door itself. */
const codes = ["invalid", "too-large", "busy", "uncertain", "unavailable", "misconfigured"] as const;
const refusal = v.object({ error: v.string(), message: v.string() });

/** A commit whose answer is lost is `uncertain`; nothing is sent twice. */
export function openStoreByDoor(settings: DoorSettings): Store {
  return {
    async get(wanted) {
      checkKey(wanted);
      return (await ask(settings, found, { call: "get", key: wanted })).result ?? undefined;
    },
    async list(partition, after, limit) {
      checkList(partition, after, limit);
      const { result } = await ask(settings, page, { call: "list", partition, after, limit });
      return { entries: result.entries, next: result.next };
    },
    async commit(checks, writes) {
      checkCommit(checks, writes);
      return (await ask(settings, committed, { call: "commit", checks, writes })).result;
    },
    async close() {},
  };
}

interface Call {
  readonly call: "get" | "list" | "commit";
  readonly [more: string]: unknown;
}

async function ask<T>(
  { url, token, fetch }: DoorSettings,
  schema: v.GenericSchema<unknown, T>,
  call: Call,
): Promise<T> {
  let response: Response;
  let json: unknown;
  try {
    response = await fetch(`${url}/store`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        // A kept connection may be closed by the other side just when the next commit goes out on it.
        connection: "close",
        ...(token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` }),
      },
      body: JSON.stringify(call),
      redirect: "manual",
      signal: AbortSignal.timeout(answerMs),
    });
    json = await response.json();
  } catch (cause) {
    const code = call.call === "commit" ? "uncertain" : "unavailable";
    throw new EntranceError(code, `Entrance does not answer at ${url}: ${reasonOf(cause)}`, { cause });
  }
  const refused = v.safeParse(refusal, json);
  if (refused.success) {
    const { error, message } = refused.output;
    throw new EntranceError(codes.find((code) => code === error) ?? "invalid", message);
  }
  const answer = v.safeParse(schema, json);
  if (response.ok && answer.success) return answer.output;
  throw new EntranceError(
    "invalid",
    `what answers at ${url} with status ${response.status} is no Entrance of this version`,
  );
}

/** Node says in its cause why a fetch failed. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
