/** Notes of objects whose users are to be told something else: written with the want that says so, worked off later. */
import * as v from "valibot";
import { isEqual } from "../model/equal.ts";
import { isContest, type Reference } from "../model/reference.ts";
import type { SeenObject } from "../model/seen/object.ts";
import type { Entry, Write } from "../store/port.ts";
import { announceKey } from "./keys.ts";
import { readRecord } from "./record.ts";
import type { Context } from "./settings.ts";
import type { Want } from "./want.ts";

const schema = v.object({
  /** Ms since 1970: not before. */
  due: v.number(),
  tries: v.number(),
});

/** An API that refuses: so often, with growing pauses, and then not again until something changes, or a LIST finds it. */
export const maxTries = 8;

export type Announcement = v.InferOutput<typeof schema>;

export function readAnnouncement(entry: Entry): Announcement {
  return readRecord(schema, entry);
}

export function announcementText(due: number, tries: number): string {
  const announcement: Announcement = { due, tries };
  return JSON.stringify(announcement);
}

/**
 * Only where there is an API to tell it to; an object that was never ours is not spoken of. `object`: what was seen. One
 * that has a status may be another one of the same name, to whom nobody has said anything yet.
 */
export function announcing(
  context: Context,
  reference: Reference,
  object: SeenObject | undefined,
  before: Want,
  after: Want,
): readonly Write[] {
  if (context.status === undefined || isContest(reference.kind)) return [];
  const isOther = hasStatus(object, after) && before.seen !== after.seen;
  if (!isOther && isEqual(toldOf(before), toldOf(after))) return [];
  return [{ key: announceKey(reference), value: announcementText(context.now(), 0) }];
}

function hasStatus(object: SeenObject | undefined, { resources }: Want): boolean {
  if (object?.kind === "Ingress") return Object.keys(resources).length > 0;
  return object?.kind === "Service" && object.loadBalancerClass !== undefined;
}

function toldOf({ resources, reasons }: Want): unknown {
  return { balancers: Object.keys(resources), reasons };
}
