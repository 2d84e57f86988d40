/** Notes of objects whose users are to be told something else: written with the want that says so, worked off later. */
import * as v from "valibot";
import { canonicalJson } from "../model/canonical.ts";
import { isContest, type Reference } from "../model/reference.ts";
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

export type Announcement = v.InferOutput<typeof schema>;

export function readAnnouncement(entry: Entry): Announcement {
  return readRecord(schema, entry);
}

export function announcementText(due: number, tries: number): string {
  const announcement: Announcement = { due, tries };
  return JSON.stringify(announcement);
}

/** Only where there is an API to tell it to; an object that was never ours is not spoken of. */
export function announcing(context: Context, reference: Reference, before: Want, after: Want): readonly Write[] {
  if (context.status === undefined || isContest(reference.kind)) return [];
  if (canonicalJson(toldOf(before)) === canonicalJson(toldOf(after))) return [];
  return [{ key: announceKey(reference), value: announcementText(context.now(), 0) }];
}

function toldOf({ resources, reasons }: Want): unknown {
  return { balancers: Object.keys(resources), reasons };
}
