/** Questions that are asked in one moment go to the store in one request: a round trip costs more than a key. */

interface Waiting<Asked, Found> {
  readonly asked: Asked;
  readonly found: PromiseWithResolvers<Found>;
}

export class Gathered<Asked, Found> {
  readonly #send: (asked: readonly Asked[]) => Promise<readonly Found[]>;
  #waiting: Waiting<Asked, Found>[] = [];

  /** `send` answers all of them, in their order. */
  constructor(send: (asked: readonly Asked[]) => Promise<readonly Found[]>) {
    this.#send = send;
  }

  /** Sent once everything that can go on by itself now has done so. Fails as the request fails that it is part of. */
  ask(asked: Asked): Promise<Found> {
    const found = Promise.withResolvers<Found>();
    if (this.#waiting.push({ asked, found }) === 1) this.#flushSoon(1, 0);
    if (this.#waiting.length === maxGathered) this.#flush();
    return found.promise;
  }

  #flushSoon(known: number, idle: number): void {
    queueMicrotask(() => {
      const now = this.#waiting.length;
      if (now === known && idle === idleTicks) this.#flush();
      else this.#flushSoon(now, now === known ? idle + 1 : 0);
    });
  }

  #flush(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    this.#send(waiting.map(({ asked }) => asked)).then(
      (all) => {
        for (const [index, { found }] of waiting.entries()) found.resolve(all[index] as Found);
      },
      (error: unknown) => {
        for (const { found } of waiting) found.reject(error);
      },
    );
  }
}

/** So many microtasks in a row have asked nothing more: what asks is an asynchronous function within a few others. */
const idleTicks = 12;
/** The largest values together are 14 MB: DynamoDB answers with 16 at most, and so does what asks etcd. */
const maxGathered = 40;
