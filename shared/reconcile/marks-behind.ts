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
const slices = "EndpointSlice";

/**
 * Behind a full page: what is urgent, and some marks of each namespace that the page has none of. While slices are
 * listed only slices are taken: a route is not translated before the members of its pool.
 */
export async function marksBehind({ store }: Context, page: Page): Promise<Entry[]> {
  const taken: Entry[] = [];
  const counts = new Map<string, number>();
  for (const mark of page.entries) counts.set(namespaceOf(mark), perNamespace);
  const kind = page.entries.at(-1)?.key.sort.split("/", 1)[0] ?? "";
  const isAmongSlices = kind <= slices;
  let after = page.next;
  for (let scanned = 0; after !== undefined && scanned < maxScanned; ) {
    const next: Page = await store.list(dirtyPartition, after, maxPageSize);
    for (const mark of next.entries) {
      if (isAmongSlices && !mark.key.sort.startsWith(`${kind}/`)) return taken;
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
