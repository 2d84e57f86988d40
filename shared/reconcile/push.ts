/**
 * Brings every node of a balancer to its head: all nodes side by side, one request in flight for each. What a node
 * answers decides what it is sent next, so nothing has to be remembered; what is remembered saves a question.
 */
import type { NodeState, Receipt, Resource } from "../plugins/port.ts";
import { type Head, mayReplace, readHead } from "./head.ts";
import { changesSince, everything } from "./history.ts";
import { headKey, nodeRecordKey } from "./keys.ts";
import { isAt, justCommitted, learn, type NodeMemory, nothingKnown } from "./node-memory.ts";
import { nodeRecordText } from "./node-record.ts";
import { Recent } from "./recent.ts";
import { raiseEpoch } from "./restore.ts";
import type { Committed } from "./revisions.ts";
import type { Balancer, Context } from "./settings.ts";

/** Questions and deliveries that bring a node no further; more means that it and we do not understand each other. */
const maxDeliveries = 12;
const firstBackoffMs = 50;
/** So many resources of a snapshot take a node as long as a change may take: 40,000 rules longer, few no longer. */
const resourcesPerTimeout = 4_000;
const maxSnapshotTimeouts = 20;

interface Task {
  readonly memory: NodeMemory;
  running: Promise<void> | undefined;
  again: boolean;
}

export class Pusher {
  readonly #context: Context;
  readonly #tasks = new Map<string, Task>();
  readonly #recent = new Map<string, Recent>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Remembers what has become durable, and pushes it after the answer that is under way. */
  committed(committed: readonly Committed[]): void {
    for (const each of committed) {
      const recent = this.#recent.get(each.balancer) ?? new Recent();
      recent.add(each);
      this.#recent.set(each.balancer, recent);
      for (const balancer of this.#context.balancers.filter(({ name }) => name === each.balancer)) {
        for (const node of balancer.nodes) this.#task(balancer, node).memory.committed = each.head;
      }
    }
    this.#context.host.after(() => this.push(committed.map((each) => each.balancer)));
  }

  /** Resolves when each node of these balancers is at the head or has failed; never rejects. */
  async push(balancers: Iterable<string>): Promise<void> {
    const names = new Set(balancers);
    const all = this.#context.balancers.filter((balancer) => names.has(balancer.name));
    await Promise.all(all.flatMap((balancer) => balancer.nodes.map((node) => this.#start(balancer, node))));
  }

  /** Nodes that are not known to be at their head and whose backoff is over; asked for what they have with `ask`. */
  async repair(ask: boolean): Promise<void> {
    await Promise.all(this.#context.balancers.map((balancer) => this.#repair(balancer, ask)));
  }

  async #repair(balancer: Balancer, ask: boolean): Promise<void> {
    const head = readHead(await this.#context.store.get(headKey(balancer.name)));
    if (head === undefined) return;
    await Promise.all(
      balancer.nodes.map(async (node) => {
        const { memory } = this.#task(balancer, node);
        if (this.#context.now() < memory.notBefore) {
          // A wish of before may have been outdone by an earlier one: without this the node waits for the next tick.
          this.#context.host.wakeAt(memory.notBefore);
          return;
        }
        // Where it seems to be behind, another copy may have brought it along: it is asked before it is sent anything.
        if (ask || !isAt(memory.state, head)) memory.state = undefined;
        if (memory.state === undefined) await this.#start(balancer, node);
      }),
    );
  }

  /** Forgets nodes that are no balancer's any more. False: one of them is being called, and is to be forgotten later. */
  forgetGone(): boolean {
    const there = new Set(this.#context.balancers.flatMap(({ name, nodes }) => nodes.map((node) => `${name} ${node}`)));
    let areForgotten = true;
    for (const [name, { running }] of this.#tasks) {
      if (there.has(name)) continue;
      if (running === undefined) this.#tasks.delete(name);
      else areForgotten = false;
    }
    return areForgotten;
  }

  memory(balancer: Balancer, node: string): Readonly<NodeMemory> {
    return this.#task(balancer, node).memory;
  }

  #task(balancer: Balancer, node: string): Task {
    const name = `${balancer.name} ${node}`;
    const known = this.#tasks.get(name);
    if (known !== undefined) return known;
    const task: Task = { memory: nothingKnown(), running: undefined, again: false };
    this.#tasks.set(name, task);
    return task;
  }

  #start(balancer: Balancer, node: string): Promise<void> {
    const task = this.#task(balancer, node);
    if (task.running !== undefined) {
      task.again = true;
      return task.running;
    }
    task.running = this.#run(balancer, node, task);
    return task.running;
  }

  async #run(balancer: Balancer, node: string, task: Task): Promise<void> {
    let failure: string | undefined;
    try {
      do {
        task.again = false;
        try {
          failure = await this.#drive(balancer, node, task.memory);
        } catch (error) {
          failure = error instanceof Error ? error.message : String(error);
        }
        await this.#note(balancer, node, task.memory, failure);
      } while (task.again && failure === undefined);
    } finally {
      // In the same moment as the last look at `again`: whoever comes from now on starts anew.
      task.running = undefined;
    }
  }

  /** Undefined: the node is at the head, or there is nothing to push. Otherwise what is in the way. */
  async #drive(balancer: Balancer, node: string, memory: NodeMemory): Promise<string | undefined> {
    const { store, timing } = this.#context;
    let snapshot = false;
    for (let delivery = 0; delivery < maxDeliveries; delivery += 1) {
      const head = justCommitted(memory) ?? readHead(await store.get(headKey(balancer.name)));
      if (head === undefined || !mayBePushed(head)) return undefined;
      // The memory's own may be forgotten at any await, to be asked for.
      const { state } = memory;
      if (isAt(state, head)) memory.behindSince = undefined;
      else if (state !== undefined || memory.revision !== head.revision) memory.behindSince ??= this.#context.now();
      if (state === undefined) {
        const failure = learn(memory, await balancer.plugin.state(node, timing.pushTimeoutMs), this.#context.now());
        if (failure !== undefined) return failure;
        continue;
      }
      if (isAt(state, head) || head.frozen !== undefined) return undefined;
      const strange = await this.#strange(balancer, state, head);
      if (strange === "again") continue;
      if (strange !== undefined) {
        memory.state = undefined;
        memory.revision = undefined;
        if (state.store !== head.store) memory.belongsTo = state.store;
        return strange;
      }
      const whole = snapshot || state.store !== head.store || state.epoch !== head.epoch;
      const receipt = await this.#deliver(balancer, node, state, whole ? undefined : head);
      if (receipt === undefined) return undefined;
      // The head may move on faster than it is pushed: a node that comes along is well.
      if (receipt.ok && receipt.state.revision > state.revision) delivery = 0;
      snapshot = !receipt.ok && receipt.reason === "digest";
      // Its past is not ours: the store went back, and has come as far again. What happened since is to be listed first.
      if (snapshot && !whole && this.#context.kubernetes !== undefined) {
        await raiseEpoch(this.#context, balancer.name, state, "other past");
      }
      const failure = learn(memory, receipt, this.#context.now());
      if (failure !== undefined) return failure;
    }
    return "the node and the head do not come together; both are asked again";
  }

  /** Changes where the node's revision is within reach of `head` and they fit into a request; otherwise everything. */
  async #deliver(
    balancer: Balancer,
    node: string,
    state: NodeState,
    head: Head | undefined,
  ): Promise<Receipt | undefined> {
    const { store, timing, counters } = this.#context;
    const recent = head && this.#recent.get(balancer.name)?.since(state.revision, state.epoch);
    const changes = recent ?? (head && (await changesSince(store, balancer.name, state.revision, head)));
    if (changes !== undefined) {
      if (changes !== recent && !mayBeSent(changes.head)) return undefined;
      const target = targetOf(changes.head);
      const delivery = { type: "changes" as const, target, base: state.revision, resources: changes.resources };
      const receipt = await balancer.plugin.deliver(node, delivery, timing.pushTimeoutMs);
      if (receipt.ok || receipt.reason !== "too-large") {
        counters.add("entrance_deliveries_total", { balancer: balancer.name, type: "changes" });
        return receipt.ok ? { ok: true, state: carried(state, delivery.resources, receipt.state) } : receipt;
      }
    }
    const all = await everything(store, balancer.name);
    if (all === undefined || !mayBeSent(all.head)) return undefined;
    counters.add("entrance_deliveries_total", { balancer: balancer.name, type: "snapshot" });
    return balancer.plugin.deliver(
      node,
      {
        type: "snapshot",
        target: targetOf(all.head),
        resources: all.resources,
        ...(state.store === "" || state.store === all.head.store ? {} : { replaces: state.store }),
      },
      timing.pushTimeoutMs * snapshotTimeouts(all.resources.length),
    );
  }

  /** A node of another store is not ours to change, unless we were told; one ahead of us says that our store was restored from a backup. */
  async #strange(balancer: Balancer, state: NodeState, head: Head): Promise<string | undefined> {
    if (state.store === "") return undefined;
    if (state.store !== head.store) {
      if (mayReplace(head, state.store, this.#context.now())) return undefined;
      const { name } = balancer;
      return `the node belongs to another store: adopt it with npm run adopt -- ${name}, or empty its state directory`;
    }
    if (state.epoch < head.epoch || (state.epoch === head.epoch && state.revision <= head.revision)) return undefined;
    await raiseEpoch(this.#context, balancer.name, state);
    return "again";
  }

  async #note(balancer: Balancer, node: string, memory: NodeMemory, failure: string | undefined): Promise<void> {
    const { counters, timing, store } = this.#context;
    memory.error = failure;
    if (failure === undefined) {
      memory.failures = 0;
      memory.notBefore = 0;
    } else {
      counters.add("entrance_push_failures_total", { balancer: balancer.name });
      const now = this.#context.now();
      // Changes push whatever the backoff says. It grows with how long the node is away, not with how many they are.
      if (now >= memory.notBefore) {
        const wait = Math.min(timing.pushBackoffMaxMs, firstBackoffMs * 2 ** Math.min(memory.failures, 16));
        memory.failures += 1;
        memory.notBefore = now + wait;
      }
      this.#context.host.wakeAt(memory.notBefore);
    }
    if (memory.recorded === failure) return;
    try {
      const value = failure === undefined ? null : nodeRecordText(failure, this.#context.now(), memory.belongsTo);
      await store.commit([], [{ key: nodeRecordKey(balancer.name, node), value }]);
      memory.recorded = failure;
    } catch {
      // The record is for people; the next failure writes it again.
    }
  }
}

function mayBePushed({ complete, closed }: Head): boolean {
  return complete && closed === undefined;
}

/**
 * Asked of what was read as well: meanwhile the store may have gone back to before a whole LIST, or been closed, or an
 * operator has had nodes stay as they are.
 */
function mayBeSent(head: Head): boolean {
  return mayBePushed(head) && head.frozen === undefined;
}

/** As a node that does not answer holds up its own next delivery, a small snapshot is given up as soon as a change. */
function snapshotTimeouts(resources: number): number {
  return Math.min(maxSnapshotTimeouts, 1 + Math.floor(resources / resourcesPerTimeout));
}

/** A node tells what it rejects of a batch; what it rejected before and is not in the batch stands. */
function carried(before: NodeState, sent: readonly Resource[], after: NodeState): NodeState {
  const keys = new Set(sent.map((resource) => resource.key));
  return { ...after, rejected: [...before.rejected.filter((each) => !keys.has(each.key)), ...after.rejected] };
}

function targetOf(head: Head) {
  return { store: head.store, epoch: head.epoch, revision: head.revision, digest: head.digest };
}
