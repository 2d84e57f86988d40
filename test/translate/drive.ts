/** Drives translations by tables: every answer comes from what a test says is seen and held. No store. */
import type { ObjectKind, Reference } from "../../shared/model/reference.ts";
import { referenceKey } from "../../shared/model/reference.ts";
import { parseResource } from "../../shared/model/resource.ts";
import type { SeenObject } from "../../shared/model/seen/object.ts";
import { translate } from "../../shared/translate/translate.ts";
import type {
  Answer,
  Claim,
  ClaimOfUser,
  Holding,
  Read,
  Subject,
  Translation,
  TranslationSettings,
} from "../../shared/translate/translation.ts";

export const settings: TranslationSettings = {
  balancers: [{ name: "openresty", classes: ["entrance"] }],
  prefix: "entrance.dev",
};

/** What is known beside the object that is translated. */
export interface World {
  readonly objects?: readonly SeenObject[];
  readonly claims?: readonly ClaimOfUser[];
  /** By referenceKey of the contest. */
  readonly holdings?: Readonly<Record<string, Holding>>;
  /** By referenceKey of the Service. */
  readonly pools?: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
  readonly settings?: TranslationSettings;
}

export interface Driven extends Translation {
  /** Everything that was read beside the object's own Namespace, in order, by referenceKey. */
  readonly reads: readonly string[];
  readonly readsNamespace: boolean;
  /** What was claimed, by referenceKey of whom it was claimed of. */
  readonly claimed: Readonly<Record<string, Claim>>;
}

export function drive(object: SeenObject, world: World = {}): Driven {
  return driveSubject({ reference: object, object, claims: world.claims ?? [] }, world);
}

export function driveContest(reference: Reference, claims: readonly ClaimOfUser[], holding?: Holding): Driven {
  return driveSubject({ reference, claims, ...(holding === undefined ? {} : { holding }) }, {});
}

/** Every resource must be one that a node can parse; an unknown value would be rejected there. */
export function driveSubject(subject: Subject, world: World): Driven {
  const objects = new Map((world.objects ?? []).map((object) => [referenceKey(object), object]));
  const reads: Read[] = [];
  const translating = translate(subject, world.settings ?? settings);
  let next = translating.next();
  while (next.done !== true) {
    reads.push(...next.value);
    next = translating.next(next.value.map((read) => answer(read.reference, objects, world)));
  }
  for (const resources of Object.values(next.value.resources)) {
    for (const [key, value] of Object.entries(resources)) {
      const parsed = parseResource(key, value);
      if (!parsed.ok) throw new Error(`${key}: ${parsed.reason}`);
    }
  }
  return {
    ...next.value,
    reads: reads.flatMap(({ reference }) => (reference.kind === "Namespace" ? [] : [referenceKey(reference)])),
    readsNamespace: reads.some(({ reference }) => reference.kind === "Namespace"),
    claimed: Object.fromEntries(
      reads.flatMap(({ reference, claim }) => (claim === undefined ? [] : [[referenceKey(reference), claim]])),
    ),
  };
}

function answer(reference: Reference, objects: ReadonlyMap<string, SeenObject>, world: World): Answer {
  const key = referenceKey(reference);
  const object = objects.get(key);
  const pools = world.pools?.[key];
  const holding = world.holdings?.[key];
  return {
    reference,
    ...(object === undefined ? {} : { object }),
    ...(pools === undefined ? {} : { pools }),
    ...(holding === undefined ? {} : { holding }),
  };
}

export function user(kind: ObjectKind, namespace: string, name: string): string {
  return referenceKey({ kind, namespace, name });
}
