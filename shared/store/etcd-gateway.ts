/**
 * etcd by its JSON gateway, where gRPC cannot be (workerd has no HTTP/2 client, and evaluates no strings).
 * https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/: bytes are base64, numbers of 64 bits are text, and what is
 * false, zero or empty is left out.
 */
import * as v from "valibot";
import type { SecretText } from "../model/secret-text.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { EtcdCluster } from "./etcd-cluster.ts";
import { openEtcdStore } from "./etcd-store.ts";
import {
  answerTooLarge,
  type Compare,
  type EtcdEndpoint,
  EtcdFault,
  maxAnswerBytes,
  type Operation,
  type Revision,
  type Txn,
  type TxnAnswer,
} from "./etcd-transport.ts";
import type { Store } from "./port.ts";

export interface EtcdGatewaySettings {
  /** `http://HOST:PORT` or `https://HOST:PORT`. */
  readonly endpoints: readonly string[];
  readonly user: { readonly name: string; readonly password: SecretText } | undefined;
  readonly prefix: string;
  /** Unless false, history that nobody needs is dropped. */
  readonly compacts?: boolean;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
}

/** Nothing is sent before the first call. */
export function openEtcdGateway(settings: EtcdGatewaySettings): Store {
  const endpoints = settings.endpoints.map((endpoint) => new GatewayEndpoint(endpoint, settings));
  return openEtcdStore(new EtcdCluster(endpoints), settings.prefix, settings.compacts);
}

/** An authentication is a commit of etcd's, with a slow hash before it. */
const authenticationMs = 3_000;
/** A token that etcd has just given may be unknown to it for a moment, or out of date at once: no more than twice. */
const maxTokens = 2;

const Kv = v.object({
  key: v.string(),
  value: v.optional(v.string(), ""),
  mod_revision: v.optional(v.string(), "0"),
});
const TxnResponse = v.object({
  header: v.object({ revision: v.optional(v.string(), "0") }),
  succeeded: v.optional(v.boolean(), false),
  responses: v.optional(
    v.array(
      v.object({
        response_range: v.optional(
          v.object({ kvs: v.optional(v.array(Kv), []), more: v.optional(v.boolean(), false) }),
          {},
        ),
      }),
    ),
    [],
  ),
});
const AuthenticateResponse = v.object({ token: v.string() });
const Refusal = v.object({ error: v.optional(v.string()), message: v.optional(v.string()) });

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

class GatewayEndpoint implements EtcdEndpoint {
  readonly #url: string;
  readonly #settings: EtcdGatewaySettings;
  #token: string | undefined;

  constructor(url: string, settings: EtcdGatewaySettings) {
    this.#url = url;
    this.#settings = settings;
  }

  async txn(txn: Txn, timeoutMs: number): Promise<TxnAnswer> {
    return answerOf(parse(TxnResponse, await this.#authorized("/v3/kv/txn", requestOf(txn), timeoutMs)));
  }

  async compact(revision: Revision, timeoutMs: number): Promise<void> {
    await this.#authorized("/v3/kv/compaction", { revision }, timeoutMs);
  }

  async #authorized(path: string, request: unknown, timeoutMs: number): Promise<unknown> {
    const body = JSON.stringify(request);
    for (let tokens = 1; ; tokens += 1) {
      const token = await this.#authenticated();
      try {
        return await this.#ask(path, body, token, timeoutMs);
      } catch (error) {
        if (!(error instanceof EtcdFault) || !isOldToken(error) || tokens === maxTokens) throw error;
        // Somebody else may have renewed it meanwhile.
        if (this.#token === token) this.#token = undefined;
      }
    }
  }

  close(): void {
    this.#token = undefined;
  }

  async #authenticated(): Promise<string | undefined> {
    const { user } = this.#settings;
    if (user === undefined) return undefined;
    if (this.#token !== undefined) return this.#token;
    const body = JSON.stringify({ name: user.name, password: user.password.reveal() });
    try {
      const answer = await this.#ask("/v3/auth/authenticate", body, undefined, authenticationMs);
      this.#token = parse(AuthenticateResponse, answer).token;
      return this.#token;
    } catch (error) {
      // Whatever happened to the authentication, no transaction was sent.
      throw error instanceof EtcdFault ? new EtcdFault(error.message, { cause: error, never: true }) : error;
    }
  }

  /** The answer's JSON. Redirections are not followed: they would carry the token away. */
  async #ask(path: string, body: string, token: string | undefined, timeoutMs: number): Promise<unknown> {
    let response: Response;
    let text: string;
    try {
      response = await this.#settings.fetch(`${this.#url}${path}`, {
        method: "POST",
        body,
        headers: { "content-type": "application/json", ...(token === undefined ? {} : { authorization: token }) },
        redirect: "manual",
        signal: AbortSignal.timeout(timeoutMs),
      });
      text = await bounded(response);
    } catch (cause) {
      if (cause instanceof EtcdFault) throw cause;
      throw new EtcdFault(sentenceOf(cause), { cause, never: wasRefused(cause) });
    }
    const json = jsonOf(text);
    if (response.ok && json !== undefined) return json;
    const refusal = v.safeParse(Refusal, json);
    const said = refusal.success ? (refusal.output.error ?? refusal.output.message) : undefined;
    throw new EtcdFault(said ?? `status ${response.status}, and no JSON of etcd's: is this etcd's client URL?`);
  }
}

/** base64 is a third longer than what it says. */
const maxTextBytes = Math.ceil((maxAnswerBytes * 4) / 3) + 65_536;

async function bounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > maxTextBytes) throw new EtcdFault(answerTooLarge);
    chunks.push(chunk);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return decoder.decode(whole);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parse<T extends v.GenericSchema>(schema: T, json: unknown): v.InferOutput<T> {
  const parsed = v.safeParse(schema, json);
  if (!parsed.success) throw new EtcdFault("an answer that is not etcd's");
  return parsed.output;
}

function requestOf({ compare, success, failure }: Txn) {
  return { compare: compare.map(compareOf), success: success.map(operationOf), failure: failure.map(operationOf) };
}

function compareOf(compare: Compare) {
  const key = toBase64(compare.key);
  if (compare.type === "value-is") {
    return { key, target: "VALUE", result: "EQUAL", value: toBase64(encoder.encode(compare.value)) };
  }
  return { key, target: "MOD", result: compare.type === "mod-is" ? "EQUAL" : "LESS", mod_revision: compare.revision };
}

function operationOf(operation: Operation) {
  const key = toBase64(operation.key);
  switch (operation.type) {
    case "put":
      return { request_put: { key, value: toBase64(encoder.encode(operation.value)) } };
    case "delete":
      return { request_delete_range: { key } };
    case "range": {
      const { end, limit, keysOnly, at } = operation;
      return {
        request_range: {
          key,
          range_end: end === undefined ? undefined : toBase64(end),
          limit: limit === undefined ? undefined : String(limit),
          keys_only: keysOnly,
          revision: at,
        },
      };
    }
  }
}

function answerOf({ header, succeeded, responses }: v.InferOutput<typeof TxnResponse>): TxnAnswer {
  return {
    succeeded,
    revision: header.revision,
    ranges: responses.map(({ response_range: { kvs, more } }) => ({
      kvs: kvs.map((kv) => ({
        key: fromBase64(kv.key),
        value: decoder.decode(fromBase64(kv.value)),
        mod: kv.mod_revision,
      })),
      more,
    })),
  };
}

/** Node says in its cause why a fetch failed. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

function wasRefused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && (cause.code === "ECONNREFUSED" || cause.code === "ENOTFOUND");
}

function isOldToken(fault: EtcdFault): boolean {
  return /invalid auth token|revision of auth store is old/.test(fault.message);
}
