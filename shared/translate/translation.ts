/**
 * The shape of every translation: a pure generator. It yields what it wants to know of other objects and gets the
 * answers; whoever drives it (the turn, an admission review, a test) decides where they come from. So each read is
 * traced, and a change of one object re-translates exactly its users.
 */
import type { Reference } from "../model/reference.ts";
import type { SeenObject } from "../model/seen/object.ts";

/** A wish to know one object. With a claim the reader also says what it wants of it. */
export interface Read {
  readonly reference: Reference;
  readonly claim?: Claim;
}

/** What one object asks of another; kept with the other one's users until it is taken back. */
export type Claim =
  /** Of a Service: that this port's pool exists on this balancer. */
  | { readonly type: "pool"; readonly uses: readonly { readonly balancer: string; readonly port: number | string }[] }
  /** Of a Secret: that its certificate is on these balancers. */
  | { readonly type: "certificate"; readonly balancers: readonly string[] }
  /** Of a Domain: to route requests of this host. */
  | {
      readonly type: "domain";
      readonly tenant: string;
      readonly created: string;
      readonly reserved: boolean;
      readonly balancers: readonly string[];
      readonly certificates: readonly string[];
      /** Key of the Pool that its TLS connections go to as they are. */
      readonly passthrough?: string;
    }
  /** Of a Port (one balancer's listener): to be the one that it leads to. */
  | { readonly type: "port"; readonly created: string; readonly pool: string }
  /** Of the DefaultClass: to be the class of Ingresses that name none. */
  | { readonly type: "class"; readonly created: string; readonly balancer: string };

/** What is known of an object that was read. */
export interface Answer {
  readonly reference: Reference;
  /** A seen kind, when it exists. */
  readonly object?: SeenObject;
  /** Why there is no object, though it may exist: a sentence about it. */
  readonly unusable?: string;
  /** Of a Service: the ports whose pools its last translation put on each balancer. */
  readonly pools?: Readonly<Record<string, readonly number[]>>;
  /** Of a contest: who holds it. */
  readonly holding?: Holding;
}

export type Holding =
  | {
      readonly type: "domain";
      readonly tenant: string;
      /** By balancer: referenceKey of the object whose pool gets its TLS connections as they are. */
      readonly passthroughs?: Readonly<Record<string, string>>;
    }
  /** `by` is the referenceKey of the object that holds the port. */
  | { readonly type: "port"; readonly by: string }
  | { readonly type: "class"; readonly balancer: string; readonly by: string };

/** Somebody who claims something of the object being translated. */
export interface ClaimOfUser {
  /** referenceKey of the claimant. */
  readonly user: string;
  readonly claim: Claim;
}

/** A fault in one object. It never stops the rest of that object, nor any other. */
export interface Problem {
  /** A sentence that says what to change. */
  readonly sentence: string;
  /** Refused at the door when a review shows it; otherwise it is shown in the status only. */
  readonly deny: boolean;
  /** It works as it is: told at a review, and nothing for the status. */
  readonly isAdvice?: true;
}

export interface Translation {
  /** By balancer, by resource key: the value. */
  readonly resources: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly problems: readonly Problem[];
  /**
   * True: the object as a whole cannot be used. Its last good resources and reads stay; `resources` then holds only
   * what others need of it all the same, to be laid over those.
   */
  readonly failed: boolean;
  /** Of a contest. */
  readonly holding?: Holding;
}

/** A translation asks a few times; more is a loop of ours. */
export const maxRounds = 64;

export type Translating = Generator<readonly Read[], Translation, readonly Answer[]>;

export const nothing: Translation = { resources: {}, problems: [], failed: false };

/** One balancer as translation needs to know it. */
export interface BalancerSettings {
  readonly name: string;
  readonly classes: readonly string[];
}

/** The settings that change what a translation says; a change of them translates everything anew. */
export interface TranslationSettings {
  /** At least one; the first serves objects that name no class (Rainbond's, and Services by annotation). */
  readonly balancers: readonly BalancerSettings[];
  /** `entrance.dev`: prefix of annotations, and of IngressClass controllers. */
  readonly prefix: string;
  /** Rainbond's ENTRANCE_HTTP_SUFFIX; absent: no default domains. */
  readonly httpSuffix?: string;
  /** Ids of the keys that open what is sealed, the one that seals first; absent: there is none. */
  readonly sealKeys?: readonly string[];
}

/** What a translation starts from. */
export interface Subject<Object extends SeenObject = SeenObject> {
  readonly reference: Reference;
  /** Absent: the object is gone, or it is a contest. */
  readonly object?: Object;
  /** Claims of others on this object (Services, Secrets and contests only), in order of the claimants' keys. */
  readonly claims: readonly ClaimOfUser[];
  /** Of a contest: who held it so far. */
  readonly holding?: Holding;
}
