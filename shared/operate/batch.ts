/** Many writes as commits within the port's limits. */
import { utf8Length } from "../model/utf8.ts";
import { maxCommitBytes, maxCommitKeys, type Store, type Write } from "../store/port.ts";

/** Side by side: on a store across a network most of a commit is waiting. */
const atOnce = 4;

/** Each key once; in their order but for the last few. Returns how many there were. */
export async function writeAll(store: Store, writes: AsyncIterable<Write>): Promise<number> {
  const running = new Set<Promise<void>>();
  const faults: unknown[] = [];
  let count = 0;
  for await (const batch of batched(writes)) {
    count += batch.length;
    const sent: Promise<void> = store
      .commit([], batch)
      .then(() => undefined)
      .catch((error: unknown) => void faults.push(error))
      .finally(() => running.delete(sent));
    running.add(sent);
    if (running.size >= atOnce) await Promise.race(running);
    if (faults.length > 0) break;
  }
  await Promise.all(running);
  if (faults.length > 0) throw faults[0];
  return count;
}

async function* batched(writes: AsyncIterable<Write>): AsyncGenerator<Write[]> {
  let batch: Write[] = [];
  let bytes = 0;
  for await (const write of writes) {
    const size = write.value === null ? 0 : utf8Length(write.value);
    if (batch.length === maxCommitKeys || bytes + size > maxCommitBytes) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(write);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
