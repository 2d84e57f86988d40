/** Requests all the while, each on a connection of its own, to every node that is up. */
import { X509Certificate } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { requestTls } from "../../harness/https.ts";
import type { TestNode } from "../../harness/node.ts";
import type { Random } from "../../simulate/random.ts";
import { calmHosts } from "./calm.ts";
import type { Fresh } from "./fresh.ts";
import { livelyHosts } from "./lively.ts";
import { wildHosts } from "./wild.ts";

const pauseMs = 15;
/** A machine of two cores has three nodes, three Entrances and a store to run. */
const patienceMs = 20_000;
/** The first ones tell enough. */
const maxFaults = 20;

interface Asked {
  readonly status: number;
  readonly text: string;
  readonly certificate?: X509Certificate;
}

export class Traffic {
  readonly figures = { requests: 0, failed: 0, toChanging: 0, wrong: 0 };
  readonly faults: string[] = [];
  readonly #nodes: readonly TestNode[];
  readonly #random: Random;
  readonly #fresh: Fresh;
  readonly #calmCertificate: string;
  /** By node: how often it went down; odd: it is. */
  readonly #downs: number[];
  #isOver = false;
  #loops: Promise<void>[] = [];

  constructor(nodes: readonly TestNode[], random: Random, fresh: Fresh, calmChain: string) {
    this.#nodes = nodes;
    this.#random = random;
    this.#fresh = fresh;
    this.#calmCertificate = new X509Certificate(calmChain).fingerprint256;
    this.#downs = nodes.map(() => 0);
  }

  start(): void {
    this.#loops = this.#nodes.flatMap((node, place) => {
      const loop = (ask: () => Promise<void>) => this.#loop(ask);
      return [
        loop(() => this.#calm(node, place, false)),
        loop(() => this.#calm(node, place, true)),
        loop(() => this.#changing(node, place)),
      ];
    });
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
  }

  /** From now on clients are led past this node. */
  goesDown(place: number): void {
    this.#downs[place] = (this.#downs[place] ?? 0) + 1;
  }

  isBack(place: number): void {
    this.goesDown(place);
  }

  async #loop(ask: () => Promise<void>): Promise<void> {
    while (!this.#isOver) {
      await ask();
      await sleep(this.#random.between(0, pauseMs * 2));
    }
  }

  /** Undefined: the node is down, or was for a moment. */
  async #ask(node: TestNode, place: number, host: string, isTls: boolean): Promise<Asked | string | undefined> {
    const before = this.#downs[place] ?? 0;
    if (before % 2 === 1) return undefined;
    let answer: Asked | string;
    try {
      const options = { timeoutMs: patienceMs };
      answer = isTls ? await requestTls(node.ports.https, host, "/", options) : await node.get(host, "/", options);
    } catch (error) {
      answer = error instanceof Error ? error.message : String(error);
    }
    return this.#downs[place] === before ? answer : undefined;
  }

  async #calm(node: TestNode, place: number, isTls: boolean): Promise<void> {
    const host = this.#random.pick(calmHosts);
    const answer = await this.#ask(node, place, host, isTls);
    if (answer === undefined) return;
    this.figures.requests += 1;
    const isServed = typeof answer !== "string" && answer.status === 200;
    const isOurs = !isTls || (isServed && answer.certificate?.fingerprint256 === this.#calmCertificate);
    if (isServed && isOurs) return;
    this.figures.failed += 1;
    this.#tell(`${isTls ? "https" : "http"}://${host} on node ${place}: ${said(answer)}`);
  }

  async #changing(node: TestNode, place: number): Promise<void> {
    const kind = this.#random.below(3);
    if (kind === 0) return this.#lively(node, place);
    if (kind === 1) return this.#comesAndGoes(node, place);
    const host = this.#random.pick(wildHosts);
    const answer = await this.#ask(node, place, host, false);
    this.#judge(host, place, answer, [200, 308, 404, 503]);
  }

  async #lively(node: TestNode, place: number): Promise<void> {
    const host = this.#random.pick(livelyHosts);
    const answer = await this.#ask(node, place, host, this.#random.one(2));
    this.#judge(host, place, answer, [200]);
  }

  async #comesAndGoes(node: TestNode, place: number): Promise<void> {
    const routes = [...this.#fresh.routes.values()];
    if (routes.length === 0) return;
    const route = this.#random.pick(routes);
    const wasServed = route.servedBy.has(place);
    const answer = await this.#ask(node, place, route.host, false);
    const allowed = route.isWanted && wasServed ? [200] : [200, 404];
    this.#judge(route.host, place, answer, allowed);
    if (typeof answer === "object" && answer.status === 200) route.servedBy.add(place);
  }

  #judge(host: string, place: number, answer: Asked | string | undefined, allowed: readonly number[]): void {
    if (answer === undefined) return;
    this.figures.toChanging += 1;
    if (typeof answer !== "string" && allowed.includes(answer.status)) return;
    this.figures.wrong += 1;
    this.#tell(`${host} on node ${place}: ${said(answer)} instead of ${allowed.join(" or ")}`);
  }

  #tell(fault: string): void {
    if (this.faults.length < maxFaults) this.faults.push(`${new Date().toISOString()} ${fault}`);
  }
}

function said(answer: Asked | string): string {
  return typeof answer === "string" ? answer : `${answer.status} ${answer.text.slice(0, 200)}`;
}
