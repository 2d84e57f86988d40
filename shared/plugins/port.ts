/** What Entrance needs of a kind of load balancer: to say what a node has, and to take changes or a whole. */

/** What a node says that it serves. A fresh node: store "", epoch 0, revision 0, the empty digest. */
export interface NodeState {
  readonly store: string;
  readonly epoch: number;
  readonly revision: number;
  readonly digest: string;
  readonly rejected: readonly Rejection[];
}

/** A resource whose value this node cannot use; its last usable value goes on serving. */
export interface Rejection {
  readonly key: string;
  readonly reason: string;
}

/** The point in a balancer's history that a delivery brings a node to. */
export interface Target {
  readonly store: string;
  readonly epoch: number;
  readonly revision: number;
  readonly digest: string;
}

export interface Resource {
  readonly key: string;
  readonly revision: number;
  /** SHA-1 of the value's canonical JSON; of a key that is gone the empty text. */
  readonly hash: string;
  /** null: the key is gone. */
  readonly value: unknown;
}

export type Delivery =
  /** Absolute values of all keys that changed after `base`. */
  | {
      readonly type: "changes";
      readonly target: Target;
      readonly base: number;
      readonly resources: readonly Resource[];
    }
  /** Everything; `replaces` names another store whose node this is to become ours. */
  | {
      readonly type: "snapshot";
      readonly target: Target;
      readonly resources: readonly Resource[];
      readonly replaces?: string;
    };

export type Receipt =
  /** Answering changes, `rejected` lists these changes' only. */
  | { readonly ok: true; readonly state: NodeState }
  /** The node has something else than the delivery supposes, and says what. */
  | { readonly ok: false; readonly reason: "older" | "base" | "digest" | "store" | "epoch"; readonly state: NodeState }
  /** It did not come to an answer that decides anything: no answer, a wrong key, a full node. `message` has no secret. */
  | { readonly ok: false; readonly reason: "unreachable" | "refused"; readonly message: string }
  /** Nothing was sent: these changes are too many for one request; a snapshot is the way. */
  | { readonly ok: false; readonly reason: "too-large"; readonly message: string };

export interface Plugin {
  state(node: string, timeoutMs: number): Promise<Receipt>;
  deliver(node: string, delivery: Delivery, timeoutMs: number): Promise<Receipt>;
}
