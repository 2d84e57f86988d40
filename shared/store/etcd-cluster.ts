/** The endpoints of one etcd: one is asked until it fails, then the next; every call has an end. */
import { EntranceError } from "../model/error.ts";
import { type Deadline, pause } from "./deadline.ts";
import {
  answerTooLarge,
  type EtcdEndpoint,
  EtcdFault,
  type Revision,
  type Txn,
  type TxnAnswer,
} from "./etcd-transport.ts";

/** One answer of one endpoint; a commit waits for the disks of a majority. */
const callMs = 2_000;
/** Between two rounds of all endpoints. */
export const pauseMs = 100;

export class EtcdCluster {
  readonly #endpoints: readonly EtcdEndpoint[];
  #current = 0;
  /** The highest revision that any answer had. */
  #revision = 0n;

  constructor(endpoints: readonly EtcdEndpoint[]) {
    this.#endpoints = endpoints;
  }

  get revision(): bigint {
    return this.#revision;
  }

  /** Once, at the endpoint that answered last. Throws {@link EtcdFault}. */
  async once(txn: Txn, timeoutMs = callMs): Promise<TxnAnswer> {
    const index = this.#current;
    const endpoint = this.#endpoints[index];
    if (endpoint === undefined) throw new EntranceError("misconfigured", "etcd has no endpoint");
    try {
      const answer = await endpoint.txn(txn, timeoutMs);
      const revision = BigInt(answer.revision);
      if (revision > this.#revision) this.#revision = revision;
      return answer;
    } catch (error) {
      // Only once for all who wait for the same endpoint.
      if (error instanceof EtcdFault && !isFinal(error) && this.#current === index) {
        this.#current = (index + 1) % this.#endpoints.length;
      }
      throw error;
    }
  }

  /** Until it is answered or the time is over: for what may happen twice. Throws the last {@link EtcdFault}. */
  async untilAnswered(txn: Txn, deadline: Deadline): Promise<TxnAnswer> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.once(txn, Math.min(callMs, deadline.left()));
      } catch (error) {
        if (!(error instanceof EtcdFault) || isFinal(error) || deadline.isNear()) throw error;
        if (attempt % this.#endpoints.length === 0) await pause(pauseMs);
      }
    }
  }

  /** Once, at the endpoint that answered last. Throws {@link EtcdFault}. */
  async compact(revision: Revision): Promise<void> {
    await this.#endpoints[this.#current]?.compact(revision, callMs);
  }

  close(): void {
    for (const endpoint of this.#endpoints) endpoint.close();
  }
}

/** What asking again does not change. */
const final: readonly (readonly [says: RegExp, code: "misconfigured" | "busy", advice: string])[] = [
  [/too many operations/, "misconfigured", "start etcd with --max-txn-ops=128 or more"],
  [/request is too large/, "misconfigured", "start etcd with --max-request-bytes=1572864 or more"],
  [
    /database space exceeded/,
    "busy",
    "etcd's quota is used up: `etcdctl compact` and `defrag`, or a larger --quota-backend-bytes, then `etcdctl alarm disarm`",
  ],
  [/too many requests/, "busy", "etcd is overloaded"],
  [/permission denied/, "misconfigured", "grant ENTRANCE_ETCD_USER reading and writing below ENTRANCE_ETCD_PREFIX"],
  [/authentication failed/, "misconfigured", "ENTRANCE_ETCD_USER and ENTRANCE_ETCD_PASSWORD are not etcd's"],
  [/user name is empty/, "misconfigured", "etcd wants a user: set ENTRANCE_ETCD_USER and ENTRANCE_ETCD_PASSWORD"],
  [/has been compacted/, "busy", "its history is gone"],
  [/authentication is not enabled/, "misconfigured", "etcd has no users: unset ENTRANCE_ETCD_USER"],
];

/** etcd refused it: it did not happen, and the same would be said again. */
export function isFinal(fault: EtcdFault): boolean {
  return fault.message === answerTooLarge || final.some(([says]) => says.test(fault.message));
}

/** What a caller is told. */
export function toEntranceError(fault: EtcdFault): EntranceError {
  for (const [says, code, advice] of final) {
    if (!says.test(fault.message)) continue;
    const retry = code === "busy" ? { retryAfterSeconds: 5 } : {};
    return new EntranceError(code, `etcd: ${advice} (${fault.message})`, { cause: fault, ...retry });
  }
  return new EntranceError("unavailable", `etcd does not answer: ${fault.message}`, { cause: fault });
}
