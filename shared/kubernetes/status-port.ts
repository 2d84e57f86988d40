/** What Entrance says of objects, where their users look. */
import type { Reference, SeenKind } from "../model/reference.ts";

export interface Told {
  /** Of the object that this is about; another one of the same name is left alone. */
  readonly uid: string;
  /** IP addresses and host names, in order. */
  readonly addresses: readonly string[];
  /** Why something of it is not served. */
  readonly refused?: string;
}

export interface Refusal {
  readonly kind: SeenKind;
  readonly reference: Reference;
  readonly uid: string;
  readonly note: string;
  /** The same for the same refusal of the same object. */
  readonly id: string;
  /** Ms since 1970. */
  readonly now: number;
}

/** All that ask the API throw what it throws. */
export interface StatusApi {
  /** What stands in an object as the API gives it; undefined: it is none. */
  stated(json: unknown): Told | undefined;
  /** Undefined: there is no such object. */
  read(kind: "Ingress" | "Service", reference: Reference): Promise<Told | undefined>;
  /** False: it is gone, or another one by now. */
  write(kind: "Ingress" | "Service", reference: Reference, told: Told): Promise<boolean>;
  /** An Event. */
  tell(refusal: Refusal): Promise<void>;
}
