/**
 * What the store asks of etcd: one transaction at one endpoint, by gRPC (etcd.ts) or by its JSON gateway
 * (etcd-gateway.ts). Reads are transactions, too, without a write: etcd answers those linearizably.
 */

/** A 64-bit number as etcd's JSON has it. */
export type Revision = string;

/** `mod`: of the key's last write, "0" where it is not there. `value`: never holds where the key is not there. */
export type Compare =
  | { readonly type: "mod-is"; readonly key: Uint8Array; readonly revision: Revision }
  | { readonly type: "mod-below"; readonly key: Uint8Array; readonly revision: Revision }
  | { readonly type: "value-is"; readonly key: Uint8Array; readonly value: string };

export type Operation =
  | {
      readonly type: "range";
      readonly key: Uint8Array;
      /** Exclusive; without it, this one key. */
      readonly end?: Uint8Array;
      readonly limit?: number;
      readonly keysOnly?: boolean;
      /** As it was then. */
      readonly at?: Revision;
    }
  | { readonly type: "put"; readonly key: Uint8Array; readonly value: string }
  | { readonly type: "delete"; readonly key: Uint8Array };

export interface Txn {
  readonly compare: readonly Compare[];
  /** Where all comparisons hold; otherwise `failure`. */
  readonly success: readonly Operation[];
  readonly failure: readonly Operation[];
}

export interface KeyValue {
  readonly key: Uint8Array;
  readonly value: string;
  readonly mod: Revision;
}

export interface Range {
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
}

export interface TxnAnswer {
  readonly succeeded: boolean;
  /** The store's, after this transaction; a transaction that wrote has it as the version of all that it wrote. */
  readonly revision: Revision;
  /** One for each operation; empty ones for those that are no range. */
  readonly ranges: readonly Range[];
}

export interface EtcdEndpoint {
  /** Throws {@link EtcdFault}. */
  txn(txn: Txn, timeoutMs: number): Promise<TxnAnswer>;
  /** History before this revision goes. Throws {@link EtcdFault}. */
  compact(revision: Revision, timeoutMs: number): Promise<void>;
  close(): void;
}

/** Why there is no answer. `message` is etcd's own, or the connection's. */
export class EtcdFault extends Error {
  override readonly name = "EtcdFault";
  /** It is certain that the transaction did not and will not happen. */
  readonly never: boolean;

  constructor(message: string, options: { cause?: unknown; never?: boolean } = {}) {
    super(message, { cause: options.cause });
    this.never = options.never ?? false;
  }
}

/** An answer of a range may be so large; beyond, the store asks for fewer entries. One value always fits. */
export const maxAnswerBytes = 16_777_216;

/** The message of a fault that means this, whichever side noticed. */
export const answerTooLarge = "the answer is too large";
