/** Routes come, change and go for as long as something is done that nobody may notice. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "./api.ts";
import { ingress } from "./objects.ts";

/** So many at once. */
const standing = 20;
/** Each of so many is deleted soon. */
const perDeleted = 10;
const pauseMs = 100;

export class Churn {
  readonly #api: Api;
  readonly #within: string;
  readonly #hosts = new Set<string>();
  readonly #gone = new Set<string>();
  readonly #all: Promise<void>;
  #isOver = false;

  /** To the Service `web` of a namespace. */
  constructor(api: Api, within: string) {
    this.#api = api;
    this.#within = within;
    this.#all = this.#change();
  }

  async #change(): Promise<void> {
    const hostOf = (turn: number) => `a${turn}.${this.#within}.example`;
    for (let turn = 0; !this.#isOver; turn += 1) {
      const route = ingress(this.#within, `churn-${turn % standing}`, hostOf(turn), { to: "web" });
      await this.#api.applyAll(route);
      this.#hosts.add(hostOf(turn));
      if (this.#hosts.delete(hostOf(turn - standing))) this.#gone.add(hostOf(turn - standing));
      if (turn % perDeleted === perDeleted - 1) {
        await this.#api.delete(route);
        this.#hosts.delete(hostOf(turn));
        this.#gone.add(hostOf(turn));
      }
      await sleep(pauseMs);
    }
  }

  /** Hosts that are to be served, and those that are not any more. */
  async end() {
    this.#isOver = true;
    await this.#all;
    return { hosts: [...this.#hosts], gone: [...this.#gone] };
  }
}
