/** What befalls copies, the store and nodes. Each fault is over after a while. */
import { adopt } from "../../shared/operate/adopt.ts";
import { freeze, unfreeze } from "../../shared/operate/freeze.ts";
import { readHead } from "../../shared/reconcile/head.ts";
import { headKey } from "../../shared/reconcile/keys.ts";
import type { Copy } from "./copy.ts";
import { edit } from "./edit.ts";
import type { FaultKind } from "./plan.ts";
import type { World } from "./world.ts";

export function strike(world: World): void {
  const { plan, random } = world;
  if (plan.faults.length > 0) faults[random.pick(plan.faults)](world);
}

const faults: Readonly<Record<FaultKind, (world: World) => void>> = {
  /** In the middle of what it does, or, where it does nothing, now. */
  crash(world) {
    const place = world.random.below(world.copies.length);
    const copy = world.copies[place];
    if (copy === undefined) return;
    copy.caller.doom(1 + world.random.below(60), () => die(world, place, copy));
  },

  /** Longer than a lease, now and then: then it wakes up believing that it still holds the lock. */
  freeze(world) {
    const place = world.random.below(world.copies.length);
    const copy = world.copies[place];
    if (copy === undefined) return;
    copy.caller.doom(1 + world.random.below(60), () => {
      world.trace.add(copy.name, "freezes");
      copy.caller.freeze();
      goOnMeanwhile(world);
      world.time.after(world.random.pick([50, 1_000, 9_000, 14_000, 25_000]), () => {
        world.trace.add(copy.name, "thaws");
        copy.caller.thaw();
      });
    });
  },

  away(world) {
    const { faults: now } = world.store;
    world.trace.add("store", "is away");
    now.isAway = true;
    world.time.after(world.random.pick([20, 500, 3_000, 15_000]), () => {
      world.trace.add("store", "is back");
      now.isAway = false;
    });
  },

  node(world) {
    const node = world.random.pick([...world.nodes.values()]);
    if (node.mode !== "up") return;
    node.mode = world.random.pick(["slow", "away", "silent", "refusing", "up"]);
    node.model.isFull = world.random.one(3);
    world.trace.add(node.url, `is ${node.mode}${node.model.isFull ? ", full" : ""}`);
    world.time.after(world.random.between(100, 15_000), () => {
      if (world.isMended) return;
      world.trace.add(node.url, "is well");
      node.mode = "up";
      node.model.isFull = false;
    });
  },

  /** An operator has nodes stay as they are. */
  held(world) {
    world.operate((store) => freeze(store, undefined, world.time.nowMs));
    world.time.after(world.random.between(500, 20_000), () => {
      if (!world.isMended) world.operate((store) => unfreeze(store, undefined));
    });
  },

  api(world) {
    world.trace.add("apiserver", "answers nobody");
    world.apiserver.isAway = true;
    world.time.after(world.random.pick([100, 2_000, 20_000]), () => {
      world.trace.add("apiserver", "answers again");
      world.apiserver.isAway = false;
    });
  },

  /** It lists nothing, as one does that may not see anything any more; single objects it still tells. */
  empty(world) {
    if (!world.isRaised) return;
    world.trace.add("apiserver", "lists nothing");
    world.apiserver.isEmpty = true;
    world.time.after(world.random.between(500, 25_000), () => {
      world.trace.add("apiserver", "lists again");
      world.apiserver.isEmpty = false;
    });
  },

  /** Somebody takes away what allows to read Secrets, and sees what comes of it. */
  role(world) {
    world.trace.add("apiserver", "lets nobody read Secrets");
    world.apiserver.isClosed = true;
    world.time.after(world.random.between(500, 40_000), () => {
      world.trace.add("apiserver", "lets Secrets be read again");
      world.apiserver.isClosed = false;
    });
  },

  "store back"(world) {
    if (!world.isRaised) return;
    const restore = world.store.backup();
    world.time.after(world.random.between(100, 5_000), () => {
      if (world.isMended) return;
      world.trace.add("store", "goes back to its backup");
      restore();
      world.isRestored = true;
      world.history.restored();
    });
  },

  "cluster back"(world) {
    if (!world.isRaised) return;
    const restore = world.apiserver.backup();
    world.time.after(world.random.between(100, 5_000), () => {
      if (world.isMended) return;
      world.trace.add("apiserver", "goes back to its backup");
      restore();
    });
  },

  /** A node's disk is lost; it comes back with nothing. */
  wipe(world) {
    const node = world.random.pick([...world.nodes.values()]);
    world.trace.add(node.url, "loses all that it has");
    node.wipe();
    world.isWiped = true;
  },
};

function die(world: World, place: number, copy: Copy): void {
  if (world.copies[place] !== copy) return;
  world.kill(place);
  goOnMeanwhile(world);
  world.time.after(world.random.between(10, 3_000), () => {
    if (world.copies[place] === undefined) world.start(place);
  });
}

/** Whoever has just written what an object claims, and not yet what comes of it, dies now and then. */
export function strikeHalfThrough(world: World, by: string): void {
  const place = world.copies.findIndex((copy) => copy?.name === by);
  const copy = world.copies[place];
  if (copy === undefined || world.isMended || !world.plan.faults.includes("crash") || !world.random.one(4)) return;
  world.time.after(0, () => die(world, place, copy));
}

/** The cluster waits for nobody: what the holder was at changes before another one takes over. */
function goOnMeanwhile(world: World): void {
  for (const lateMs of [500, 8_000]) {
    world.time.after(world.random.between(20, lateMs), () => {
      if (!world.isMended) void edit(world, world.random);
    });
  }
}

const adoptedAfterMs = 10_000;

/** From now on nothing goes wrong; what went wrong before goes on from where it stands. */
export function mend(world: World): void {
  world.isMended = true;
  world.copies.forEach((copy, place) => {
    if (copy === undefined) {
      world.start(place);
    } else {
      copy.caller.spare();
      copy.caller.thaw();
    }
  });
  Object.assign(world.store.faults, { unavailable: 0, uncertain: 0, slow: 0, isAway: false });
  Object.assign(world.apiserver, { isAway: false, isEmpty: false, isClosed: false });
  Object.assign(world.apiserver.faults, { doubled: 0, lost: 0, late: 0, bare: 0, denied: 0 });
  const [first] = world.nodes.values();
  for (const node of world.nodes.values()) {
    const stays = world.plan.deadNode && node === first;
    node.mode = stays ? "silent" : "up";
    node.model.isFull = false;
  }
  if (world.plan.faults.includes("held")) world.operate((store) => unfreeze(store, undefined));
  world.time.after(adoptedAfterMs, () => adoptStrange(world));
  world.trace.add("world", "no more faults");
}

/** A store that went back to before its first start has another name since: an operator reads that in the status. */
function adoptStrange(world: World): void {
  for (const { balancer, model } of world.nodes.values()) {
    const head = readHead(world.store.get(headKey(balancer)));
    const { store } = model.state;
    if (head === undefined || store === "" || store === head.store) continue;
    world.operate((operated) => adopt(operated, balancer, [store], world.time.nowMs));
  }
}
