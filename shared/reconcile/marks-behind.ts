/** In a burst a page of marks is one namespace's alone: what should not wait behind it is taken from further on. */
import { parseReferenceKey } from "../model/reference.ts";
import { type Entry, maxPageSize, type Page } from "../store/port.ts";
import { dirtyPartition } from "./keys.ts";
import { readMark } from "./mark.ts";
import type { Context } from "./settings.ts";

/** So far is looked; what is behind that waits until less is due. */
const maxScanned = 4_000;
/** Of each namespace. */
const perNamespace = 16;
/** Marks of slices lie between these. */
export const slicesStart = "EndpointSlice/";
/** "0" follows "/". */
export const slicesEnd = "EndpointSlice0";

/**
 * Behind a full page: what is urgent, and some marks of each namespace that the page has none of. While slices are
 * still to come only slices are taken: a route is not translated before the members of its pool. What is listed before
 * them has no namespace and nothing urgent.
 */
export async function marksBehind({ store }: Context, page: Page): Promise<Entry[]> {
  const taken: Entry[] = [];
  const counts = new Map<string, number>();
  for (const mark of page.entries) counts.set(namespaceOf(mark), perNamespace);
  const place = page.next ?? slicesEnd;
  const isAmongSlices = place < slicesEnd;
  let after = page.next !== undefined && place < slicesStart ? slicesStart : page.next;
  for (let scanned = 0; after !== undefined && scanned < maxScanned; ) {
    const next: Page = await store.list(dirtyPartition, after, maxPageSize);
    for (const mark of next.entries) {
      if (isAmongSlices && mark.key.sort >= slicesEnd) return taken;
      const namespace = namespaceOf(mark);
      const count = counts.get(namespace) ?? 0;
      if (count >= perNamespace && readMark(mark).urgent !== true) continue;
      counts.set(namespace, count + 1);
      taken.push(mark);
    }
    scanned += next.entries.length;
    after = next.next;
  }
  return taken;
}

function namespaceOf({ key }: Entry): string {
  return parseReferenceKey(key.sort)?.namespace ?? "";
}
