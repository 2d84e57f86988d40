/**
 * What requests would find on a node after each delivery. Invariant 7: a route that is there before and after a change
 * is there in between, and a new one goes from nothing to its backend. And 1 and 3, as far as a node shows them.
 */
import type { NodeState, Receipt } from "../../../shared/plugins/port.ts";
import type { NodeServer, NodeWatcher } from "../node-server.ts";
import type { Anchor } from "../objects.ts";
import type { HistoryOracle } from "./history.ts";

/** What was decided before nodes were to stay as they are comes within this, and within this after who decided it went on. */
const underWayMs = 10_000;

type Found = "404" | "503" | "backend";

export class TrafficOracle implements NodeWatcher {
  /** Deliveries that changed a node, for the quiet at the end. */
  deliveries = 0;
  readonly #anchors = new Map<string, Anchor>();
  readonly #history: HistoryOracle;
  /** A store that was restored has another history than what was read before. */
  readonly #isRestored: () => boolean;
  readonly #lastThawMs: () => number;
  readonly #fault: (sentence: string) => void;

  constructor(
    history: HistoryOracle,
    isRestored: () => boolean,
    lastThawMs: () => number,
    fault: (sentence: string) => void,
  ) {
    this.#history = history;
    this.#isRestored = isRestored;
    this.#lastThawMs = lastThawMs;
    this.#fault = fault;
  }

  /** From now on all that it needs is known, and its own Ingress comes. */
  watch(anchor: Anchor): void {
    this.#anchors.set(anchor.host, anchor);
  }

  handled(node: NodeServer, method: string, receipt: Receipt, before: NodeState): void {
    this.deliveries += 1;
    if (!receipt.ok && receipt.reason === "digest" && !this.#isRestored()) {
      this.#fault(`3: ${method} to ${node.url} would not have made what it says`);
    }
    if (!receipt.ok) return;
    const heldSince = this.#history.heldSince.get(node.balancer) ?? node.nowMs;
    if (Math.max(heldSince, this.#lastThawMs()) < node.nowMs - underWayMs)
      this.#fault(`held: ${method} to ${node.url}, which is to stay as it is`);
    const { store, epoch, revision, digest } = node.model.state;
    const name = `${method} to ${node.url}`;
    const isLower =
      store === before.store && (epoch < before.epoch || (epoch === before.epoch && revision < before.revision));
    if (isLower) this.#fault(`1: ${name}: from ${before.epoch}/${before.revision} down to ${epoch}/${revision}`);
    const isForeign = before.store !== "" && store !== before.store;
    if (isForeign && !this.#history.replaced.has(before.store)) this.#fault(`1: ${name}: it goes to another store`);
    if (!this.#history.isWanted(node.balancer, store, epoch, revision, digest)) {
      this.#fault(`3: ${name}: what it has at ${epoch}/${revision} was never wanted`);
    }
    for (const anchor of this.#anchors.values()) this.#look(node, anchor);
  }

  #look(node: NodeServer, anchor: Anchor): void {
    const found = lookUp(node, anchor);
    const known = this.#seen.get(node.model) ?? new Map<string, Found>();
    const last = known.get(anchor.host) ?? "404";
    known.set(anchor.host, found);
    this.#seen.set(node.model, known);
    if (found === "503") this.#fault(`7: ${anchor.host} leads to no member on ${node.url}, after ${last}`);
    if (found === "404" && last !== "404") this.#fault(`7: ${anchor.host} is gone from ${node.url}`);
  }

  /** By what a node has: a wiped one begins anew. */
  readonly #seen = new WeakMap<object, Map<string, Found>>();
}

function lookUp(node: NodeServer, { host, namespace, index }: Anchor): Found {
  const { resources } = node.model;
  const rules = [0, 1].flatMap(
    (number) => resources.get(`Rule/${host}/Ingress/${namespace}/i${index}/${number}`) ?? [],
  );
  if (rules.length === 0 || !resources.has(`Domain/${host}`)) return "404";
  for (const { value } of rules) {
    const { pools } = value as { pools: { pool: string }[] };
    const isServed = pools.every(({ pool }) => {
      const service = pool.split("/")[2] ?? "";
      return resources.has(pool) && resources.has(`Node${pool.slice(4)}/${service}-a`);
    });
    if (!isServed) return "503";
  }
  return "backend";
}
