/** etcd by gRPC, in Node. The package reads its protocol's files from disk, so a bundle leaves it outside. */
import { rootCertificates } from "node:tls";
import { noop } from "cockatiel";
import type { Etcd3, ICompare, IOptions, IRequestOp, ITxnRequest, ITxnResponse } from "etcd3";
import type { SecretText } from "../model/secret-text.ts";
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

// Not at the start of a bundle that may never need it, and may lie where the package does not.
const { Etcd3: Client } = await import("etcd3");

export interface EtcdSettings {
  /** `http://HOST:PORT` or `https://HOST:PORT`. */
  readonly endpoints: readonly string[];
  readonly user: { readonly name: string; readonly password: SecretText } | undefined;
  /** PEM. Without it, the system's authorities. */
  readonly ca: Buffer | undefined;
  readonly client: { readonly certificate: Buffer; readonly key: Buffer } | undefined;
  readonly prefix: string;
  /** Unless false, history that nobody needs is dropped. */
  readonly compacts?: boolean;
}

/** Nothing is sent before the first call. */
export function openEtcd(settings: EtcdSettings): Store {
  const endpoints = settings.endpoints.map((endpoint) => new GrpcEndpoint(endpoint, settings));
  return openEtcdStore(new EtcdCluster(endpoints), settings.prefix, settings.compacts);
}

/** An authentication is a commit of etcd's, with a slow hash before it. */
const authenticationMs = 3_000;

/**
 * One client for each endpoint, without any of the package's own retries: it would send a commit again whose answer was
 * lost. Which endpoint is next, EtcdCluster decides.
 */
class GrpcEndpoint implements EtcdEndpoint {
  readonly #options: IOptions;
  #client: Etcd3;
  #isClosed = false;

  constructor(endpoint: string, settings: EtcdSettings) {
    this.#options = {
      hosts: endpoint,
      ...authentication(settings),
      ...(endpoint.startsWith("https:") ? { credentials: credentials(settings) } : {}),
      grpcOptions: {
        "grpc.max_receive_message_length": maxAnswerBytes,
        // A connection that was cut in silence is noticed while nothing is asked.
        "grpc.keepalive_time_ms": 30_000,
        "grpc.keepalive_timeout_ms": 5_000,
      },
      faultHandling: { global: noop, host: () => noop },
    };
    this.#client = new Client(this.#options);
  }

  async txn(txn: Txn, timeoutMs: number): Promise<TxnAnswer> {
    const request = requestOf(txn);
    return this.#ask(async (client, options) => answerOf(await client.kv.txn(request, options)), timeoutMs);
  }

  async compact(revision: Revision, timeoutMs: number): Promise<void> {
    await this.#ask((client, options) => client.kv.compact({ revision }, options), timeoutMs);
  }

  async #ask<T>(
    call: (client: Etcd3, options: { readonly deadline: number }) => Promise<T>,
    timeoutMs: number,
  ): Promise<T> {
    const options = { deadline: Date.now() + timeoutMs };
    try {
      return await call(this.#client, options);
    } catch (cause) {
      const fault = faultOf(cause);
      if (!isOldToken(fault) || this.#isClosed) throw fault;
      // The package renews a token that etcd has forgotten, not one from before somebody changed users or roles.
      this.#client.close();
      this.#client = new Client(this.#options);
    }
    try {
      return await call(this.#client, options);
    } catch (cause) {
      throw faultOf(cause);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#client.close();
  }
}

function authentication({ user }: EtcdSettings): Pick<IOptions, "auth"> {
  if (user === undefined) return {};
  const callOptions = () => ({ deadline: Date.now() + authenticationMs });
  return { auth: { username: user.name, password: user.password.reveal(), callOptions } };
}

function credentials({ ca, client }: EtcdSettings): NonNullable<IOptions["credentials"]> {
  return {
    rootCertificate: ca ?? Buffer.from(rootCertificates.join("\n")),
    ...(client === undefined ? {} : { privateKey: client.key, certChain: client.certificate }),
  };
}

function requestOf({ compare, success, failure }: Txn): ITxnRequest {
  return { compare: compare.map(compareOf), success: success.map(operationOf), failure: failure.map(operationOf) };
}

function compareOf(compare: Compare): ICompare {
  const key = Buffer.from(compare.key);
  if (compare.type === "value-is") {
    return { key, target: "Value", result: "Equal", value: Buffer.from(compare.value) };
  }
  return { key, target: "Mod", result: compare.type === "mod-is" ? "Equal" : "Less", mod_revision: compare.revision };
}

function operationOf(operation: Operation): IRequestOp {
  const key = Buffer.from(operation.key);
  switch (operation.type) {
    case "put":
      return { request_put: { key, value: Buffer.from(operation.value) } };
    case "delete":
      return { request_delete_range: { key } };
    case "range": {
      const { end, limit, keysOnly, at } = operation;
      return {
        request_range: {
          key,
          ...(end === undefined ? {} : { range_end: Buffer.from(end) }),
          ...(limit === undefined ? {} : { limit }),
          ...(keysOnly === undefined ? {} : { keys_only: keysOnly }),
          ...(at === undefined ? {} : { revision: at }),
        },
      };
    }
  }
}

function answerOf({ header, succeeded, responses }: ITxnResponse): TxnAnswer {
  return {
    succeeded,
    revision: header.revision,
    // The types promise all members of each; the messages have one.
    ranges: responses.map(({ response_range: range }: Partial<(typeof responses)[number]>) => ({
      kvs: (range?.kvs ?? []).map((kv) => ({ key: kv.key, value: kv.value.toString(), mod: kv.mod_revision })),
      more: range?.more ?? false,
    })),
  };
}

function faultOf(cause: unknown): EtcdFault {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/Received message larger than max/.test(message)) return new EtcdFault(answerTooLarge, { cause });
  return new EtcdFault(message, { cause, never: /No connection established|Name resolution failed/.test(message) });
}

function isOldToken(fault: EtcdFault): boolean {
  return /revision of auth store is old/.test(fault.message);
}
