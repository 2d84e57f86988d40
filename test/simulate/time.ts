/**
 * Virtual time. Everything that happens in a simulation is an event at a time; between two events all that can go on
 * without another one has gone on. So a seed alone decides the order of everything.
 */
export interface Timer {
  cancelled: boolean;
}

/**
 * Promises and `nextTick` go on until nothing does: what Node does after each callback. It is called by name, since a
 * round of Node's loop for each event takes as long as what happens in it. Only from outside of any promise.
 */
const goOn: () => void = (() => {
  const found: unknown = Reflect.get(process, "_tickCallback");
  if (typeof found !== "function")
    throw new Error("this Node does not let its promises go on by process._tickCallback");
  return () => void found.call(process);
})();

interface Event extends Timer {
  readonly atMs: number;
  /** Events of one time happen in the order in which they were asked for. */
  readonly order: number;
  readonly run: () => void;
}

/** What the story of a simulation waits for. */
interface Awaited {
  readonly timeMs: number;
  readonly isOver: () => boolean;
  readonly resolve: () => void;
}

export class Time {
  nowMs: number;
  events = 0;
  #asked = 0;
  #awaited: Awaited | undefined;
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

  /** Resolves at that time; earlier once `isOver` says so. Needs {@link drive}, and nobody else who waits for it. */
  runUntil(timeMs: number, isOver: () => boolean = () => false): Promise<void> {
    return new Promise((resolve) => {
      this.#awaited = { timeMs, isOver, resolve };
    });
  }

  /** Lets time go by as `story` asks for it, until that has ended: all at once, for who is called by no promise. */
  drive(story: () => Promise<void>): void {
    let isTold = false;
    void story().then(() => {
      isTold = true;
    });
    goOn();
    while (!isTold) {
      const awaited = this.#awaited;
      if (awaited === undefined) throw new Error("the simulation waits for something that is none of its events");
      this.#awaited = undefined;
      this.#run(awaited);
      awaited.resolve();
      goOn();
    }
  }

  #run({ timeMs, isOver }: Awaited): void {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > timeMs || isOver()) break;
      this.#pop();
      if (next.cancelled) continue;
      this.nowMs = next.atMs;
      this.events += 1;
      next.run();
      goOn();
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
