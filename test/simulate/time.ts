/**
 * Virtual time. Everything that happens in a simulation is an event at a time; between two events all that can go on
 * without another one has gone on. So a seed alone decides the order of everything.
 */
export interface Timer {
  cancelled: boolean;
}

interface Event extends Timer {
  readonly atMs: number;
  /** Events of one time happen in the order in which they were asked for. */
  readonly order: number;
  readonly run: () => void;
}

export class Time {
  nowMs: number;
  events = 0;
  #asked = 0;
  /** A binary heap, the next event first. */
  readonly #heap: Event[] = [];

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  at(timeMs: number, run: () => void): Timer {
    this.#asked += 1;
    const event: Event = { atMs: Math.max(timeMs, this.nowMs), order: this.#asked, run, cancelled: false };
    this.#push(event);
    return event;
  }

  after(waitMs: number, run: () => void): Timer {
    return this.at(this.nowMs + waitMs, run);
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }

  /** Ends early once `isOver` says so. */
  async runUntil(timeMs: number, isOver: () => boolean = () => false): Promise<void> {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > timeMs || isOver()) break;
      this.#pop();
      if (next.cancelled) continue;
      this.nowMs = next.atMs;
      this.events += 1;
      next.run();
      // All that can go on without another event is done once the microtasks are.
      await new Promise(setImmediate);
    }
    this.nowMs = Math.max(this.nowMs, timeMs);
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let place = heap.length;
    heap.push(event);
    while (place > 0) {
      const above = (place - 1) >> 1;
      const other = heap[above];
      if (other === undefined || !isBefore(event, other)) break;
      heap[place] = other;
      place = above;
    }
    heap[place] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let place = 0;
    for (;;) {
      const left = heap[2 * place + 1];
      const right = heap[2 * place + 2];
      if (left === undefined) break;
      const below = right !== undefined && isBefore(right, left) ? right : left;
      if (!isBefore(below, last)) break;
      heap[place] = below;
      place = below === left ? 2 * place + 1 : 2 * place + 2;
    }
    heap[place] = last;
  }
}

function isBefore(one: Event, other: Event): boolean {
  return one.atMs === other.atMs ? one.order < other.order : one.atMs < other.atMs;
}
