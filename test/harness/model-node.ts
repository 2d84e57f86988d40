/** A node as the admin API v2 describes it, in memory: for tests of the protocol, where a real one is too slow. */
import { addToDigest, emptyDigest } from "../../shared/model/digest.ts";
import type { Delivery, NodeState, Plugin, Receipt, Resource } from "../../shared/plugins/port.ts";

export interface ModelNode {
  state: { store: string; epoch: number; revision: number; digest: string };
  readonly resources: Map<string, Resource>;
  /** Every delivery that was accepted, newest last. */
  readonly accepted: Delivery[];
  /** Keys whose values it cannot use, with the reason. */
  rejects: ReadonlyMap<string, string>;
  reachable: boolean;
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

function stateOf(node: ModelNode): NodeState {
  return { ...node.state, rejected: [] };
}

function take(node: ModelNode, delivery: Delivery): Receipt {
  const { target } = delivery;
  const conflict = (reason: "older" | "base" | "digest" | "store" | "epoch"): Receipt => ({
    ok: false,
    reason,
    state: stateOf(node),
  });
  const { state } = node;
  const isSame = state.store === target.store && state.epoch === target.epoch;
  if (delivery.type === "snapshot") {
    if (state.store !== "" && state.store !== target.store && delivery.replaces !== state.store)
      return conflict("store");
    if (state.store === target.store && target.epoch < state.epoch) return conflict("epoch");
    if (isSame && target.revision < state.revision && node.checksRevision) return conflict("older");
  } else {
    if (state.store !== target.store) return conflict("store");
    if (state.epoch !== target.epoch) return conflict("epoch");
    if (node.checksRevision) {
      if (target.revision < state.revision) return conflict("older");
      if (delivery.base > state.revision) return conflict("base");
      if (target.revision === state.revision)
        return target.digest === state.digest ? { ok: true, state: stateOf(node) } : conflict("digest");
    }
  }
  const next = delivery.type === "snapshot" ? new Map<string, Resource>() : new Map(node.resources);
  for (const resource of delivery.resources) {
    if (resource.value === null) next.delete(resource.key);
    else next.set(resource.key, resource);
  }
  const digest = digestOf(next);
  // Without the check of the revision nothing about order is checked: the digest belongs to it.
  if (digest !== target.digest && node.checksRevision) return conflict("digest");
  node.resources.clear();
  for (const [key, resource] of next) node.resources.set(key, resource);
  node.state = { ...target, digest };
  node.accepted.push(delivery);
  const rejected = delivery.resources.flatMap(({ key }) => {
    const reason = node.rejects.get(key);
    return reason === undefined ? [] : [{ key, reason }];
  });
  return { ok: true, state: { ...node.state, rejected } };
}

export function digestOf(resources: ReadonlyMap<string, Resource>): string {
  let digest = emptyDigest;
  for (const { key, hash } of resources.values()) digest = addToDigest(digest, key, hash);
  return digest;
}
