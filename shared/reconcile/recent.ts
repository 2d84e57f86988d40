/** The last revisions that this process made durable, so that a node that is at the one before needs no read of the store. */
import type { Resource } from "../plugins/port.ts";
import type { History } from "./history.ts";
import type { Committed } from "./revisions.ts";

/** A burst's worth; older ones are read from the store's log. */
const maxRevisions = 64;
const maxResources = 5_000;

export class Recent {
  readonly #committed: Committed[] = [];

  add(committed: Committed): void {
    const last = this.#committed.at(-1);
    const follows = last !== undefined && isNext(last, committed);
    if (!follows) this.#committed.length = 0;
    this.#committed.push(committed);
    if (this.#committed.length > maxRevisions) this.#committed.shift();
  }

  /** The newest values of all keys changed after `base`; undefined: some of these revisions were not made here. */
  since(base: number, epoch: number): History | undefined {
    const first = this.#committed[0];
    const last = this.#committed.at(-1);
    if (first === undefined || last === undefined || last.head.epoch !== epoch) return undefined;
    if (base + 1 < first.head.revision || base >= last.head.revision) return undefined;
    const resources = new Map<string, Resource>();
    for (const { head, resources: changed } of this.#committed) {
      if (head.revision <= base) continue;
      for (const resource of changed) resources.set(resource.key, resource);
    }
    return resources.size > maxResources ? undefined : { head: last.head, resources: [...resources.values()] };
  }
}

function isNext(last: Committed, next: Committed): boolean {
  return (
    last.head.store === next.head.store &&
    last.head.epoch === next.head.epoch &&
    last.head.revision + 1 === next.head.revision
  );
}
