/** A node as the admin API v2 describes it, in memory: for tests of the protocol, where a real one is too slow. */
import { addToDigest, emptyDigest, removeFromDigest } from "../../shared/model/digest.ts";
import type { Delivery, NodeState, Plugin, Receipt, Resource } from "../../shared/plugins/port.ts";

export interface ModelNode {
  state: { store: string; epoch: number; revision: number; digest: string };
  readonly resources: Map<string, Resource>;
  /** Every delivery that was accepted, newest last. */
  readonly accepted: Delivery[];
  /** Keys whose values it cannot use, with the reason. */
  rejects: ReadonlyMap<string, string>;
  reachable: boolean;
  /** It takes nothing that makes it larger: 507, with the old state kept. */
  isFull: boolean;
  /** Left out by a test to show that this very check is needed. */
  checksRevision: boolean;
}

export function newModelNode(): ModelNode {
  return {
    state: { store: "", epoch: 0, revision: 0, digest: emptyDigest },
    resources: new Map(),
    accepted: [],
    rejects: new Map(),
    reachable: true,
    isFull: false,
    checksRevision: true,
  };
}

/** A plugin whose nodes are these, by their URL. `hold` waits before a request arrives and before its answer does. */
export function modelPlugin(nodes: ReadonlyMap<string, ModelNode>, hold: () => Promise<void> = async () => {}): Plugin {
  const reach = async (name: string): Promise<ModelNode | undefined> => {
    await hold();
    const node = nodes.get(name);
    return node?.reachable === true ? node : undefined;
  };
  const unreachable: Receipt = { ok: false, reason: "unreachable", message: "no answer" };
  return {
    async state(name) {
      const node = await reach(name);
      if (node === undefined) return unreachable;
      const receipt: Receipt = { ok: true, state: stateOf(node) };
      await hold();
      return receipt;
    },
    async deliver(name, delivery) {
      const node = await reach(name);
      if (node === undefined) return unreachable;
      const receipt = take(node, delivery);
      await hold();
      return receipt;
    },
  };
}

export function stateOf(node: ModelNode): NodeState {
  return { ...node.state, rejected: [] };
}

/** As infra/openresty/lua/state/order.lua has it: whose state this is, and what is too old or too new for it. */
function refusal(node: ModelNode, delivery: Delivery): "older" | "base" | "digest" | "store" | "epoch" | undefined {
  const { state } = node;
  const { target } = delivery;
  const isFresh = state.store === "";
  if (delivery.type === "snapshot") {
    if (isFresh || delivery.replaces === state.store) return undefined;
    if (target.store !== state.store) return "store";
    if (target.epoch < state.epoch) return "epoch";
    const isOlder = target.epoch === state.epoch && target.revision < state.revision;
    return isOlder && node.checksRevision ? "older" : undefined;
  }
  if (!isFresh) {
    if (target.store !== state.store) return "store";
    if (target.epoch !== state.epoch) return "epoch";
    if (target.revision < state.revision && node.checksRevision) return "older";
  }
  if (delivery.base > state.revision && node.checksRevision) return "base";
  if (!isFresh && target.revision === state.revision && target.digest !== state.digest && node.checksRevision) {
    return "digest";
  }
  return undefined;
}

/** What the node makes of a delivery: taken whole, or not at all. */
export function take(node: ModelNode, delivery: Delivery): Receipt {
  const { target } = delivery;
  const { state } = node;
  const reason = refusal(node, delivery);
  if (reason !== undefined) return { ok: false, reason, state: stateOf(node) };
  if (isHeld(node, target)) return { ok: true, state: stateOf(node) };
  if (node.isFull && delivery.resources.some(({ value }) => value !== null)) {
    return { ok: false, reason: "refused", message: "the node answered 507" };
  }
  const isWhole = delivery.type === "snapshot";
  const next = new Map(delivery.resources.map((resource) => [resource.key, resource]));
  let digest = isWhole ? emptyDigest : state.digest;
  for (const { key, hash, value } of next.values()) {
    const old = isWhole ? undefined : node.resources.get(key);
    if (old !== undefined) digest = removeFromDigest(digest, key, old.hash);
    if (value !== null) digest = addToDigest(digest, key, hash);
  }
  // Without the check of the revision nothing about order is checked: the digest belongs to it.
  if (digest !== target.digest && node.checksRevision) return { ok: false, reason: "digest", state: stateOf(node) };
  if (isWhole) node.resources.clear();
  for (const resource of next.values()) {
    if (resource.value === null) node.resources.delete(resource.key);
    else node.resources.set(resource.key, resource);
  }
  node.state = { ...target, digest };
  node.accepted.push(delivery);
  const rejected = delivery.resources.flatMap(({ key }) => {
    const why = node.rejects.get(key);
    return why === undefined ? [] : [{ key, reason: why }];
  });
  return { ok: true, state: { ...node.state, rejected } };
}

function isHeld({ state, checksRevision }: ModelNode, target: Delivery["target"]): boolean {
  return (
    checksRevision &&
    state.store === target.store &&
    state.epoch === target.epoch &&
    state.revision === target.revision &&
    state.digest === target.digest
  );
}

export function digestOf(resources: ReadonlyMap<string, Resource>): string {
  let digest = emptyDigest;
  for (const { key, hash } of resources.values()) digest = addToDigest(digest, key, hash);
  return digest;
}
