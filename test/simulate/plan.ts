/** What one seed is about: how many of everything, and what goes wrong. The rest of the seed decides when. */
import type { ApiFaults } from "./apiserver.ts";
import { type Extent, newExtent } from "./objects.ts";
import { Random } from "./random.ts";
import type { StoreFaults } from "./store.ts";

/** Each seed has one kind of faults foremost; the last of them is all together. */
export const themes = [
  "calm",
  "crash",
  "freeze",
  "store",
  "nodes",
  "clocks",
  "events",
  "api",
  "restore",
  "upgrade",
  "all",
] as const;
export type Theme = (typeof themes)[number];

export interface Plan {
  readonly theme: Theme;
  readonly copies: number;
  /** By balancer. */
  readonly nodes: Readonly<Record<string, number>>;
  readonly isSoleWriter: boolean;
  readonly isLambda: boolean;
  readonly reviews: boolean;
  /** Whether objects can be read back and listed; otherwise what is reviewed and told is all there is. */
  readonly hasApi: boolean;
  /** In the middle of it all copies are replaced, one by one, by such with newer settings. */
  readonly upgrades: boolean;
  /** As roles of older installations have it. */
  readonly forbidsGet: boolean;
  /** Who reads an object back freezes with it in hand, and the object ends. */
  readonly readersFreeze: boolean;
  readonly pageSize: number;
  /** By copy: its clock against the true time. */
  readonly skewsMs: readonly number[];
  readonly anchors: number;
  readonly extent: Extent;
  readonly initialWrites: number;
  readonly writes: number;
  /** How long things change and faults strike. */
  readonly durationMs: number;
  /** Between two faults. */
  readonly faultEveryMs: number;
  readonly faults: readonly FaultKind[];
  readonly storeFaults: Pick<StoreFaults, "unavailable" | "uncertain" | "slow" | "late">;
  readonly eventFaults: ApiFaults;
  /** Audit events are sent; where not, reviews and the LIST are all there is. */
  readonly audits: boolean;
  /** Whether the end is watched for a while, in which nothing may happen. */
  readonly watchesQuiet: boolean;
  /** One node never comes back. */
  readonly deadNode: boolean;
}

export type FaultKind =
  | "crash"
  | "freeze"
  | "away"
  | "node"
  | "wipe"
  | "held"
  | "api"
  | "empty"
  | "role"
  | "store back"
  | "cluster back";

const faultsOf: Readonly<Record<Theme, readonly FaultKind[]>> = {
  calm: [],
  crash: ["crash"],
  freeze: ["freeze"],
  store: ["away"],
  nodes: ["node", "node", "node", "wipe", "held"],
  clocks: ["freeze", "crash"],
  events: ["crash"],
  api: ["api", "api", "empty", "role", "crash"],
  restore: ["store back", "cluster back", "crash", "node"],
  upgrade: ["crash", "freeze"],
  all: ["crash", "crash", "freeze", "freeze", "away", "node", "node", "wipe", "held"],
};

/** Of seeds with an API. */
const faultsOfAll: readonly FaultKind[] = ["api", "empty", "role", "store back", "cluster back"];

export function newPlan(seed: number, random: Random): Plan {
  const theme = themes[seed % themes.length] ?? "all";
  const has = (...some: readonly Theme[]) => theme === "all" || some.includes(theme);
  const copies = theme === "upgrade" ? 2 + random.below(2) : random.pick([1, 2, 2, 3]);
  const isSoleWriter = copies === 1 && random.one(3);
  const hasApi = theme === "api" || theme === "restore" || (theme !== "events" && random.one(2));
  const audits = !hasApi || !random.one(4);
  const doubt = { lost: random.pick([0, 3, 10]), bare: random.pick([0, 2, 5]), denied: random.pick([0, 4]) };
  return {
    theme,
    copies,
    nodes: { one: random.pick([1, 1, 2, 3]), two: 1 },
    isSoleWriter,
    isLambda: !isSoleWriter && has("freeze") && random.one(3),
    reviews: !audits || !random.one(4),
    hasApi,
    upgrades: theme === "upgrade",
    forbidsGet: random.one(8),
    readersFreeze: hasApi && copies > 1 && has("freeze", "api") && random.one(2),
    pageSize: random.pick([2, 5, 20, 1_000]),
    skewsMs: Array.from({ length: copies }, () => (has("clocks") ? Math.floor(random.between(-30_000, 30_000)) : 0)),
    anchors: 1 + random.below(2),
    extent: newExtent(random, hasApi),
    initialWrites: random.one(50) ? 200 : random.pick([5, 10, 10, 20, 50]),
    writes: random.pick([10, 15, 20, 40]),
    durationMs: random.pick([3_000, 10_000, 30_000]),
    faultEveryMs: random.pick([300, 1_000, 3_000]),
    faults: theme === "all" && hasApi ? [...faultsOf.all, ...faultsOfAll] : faultsOf[theme],
    storeFaults: has("store")
      ? {
          unavailable: random.pick([0, 30, 200]),
          uncertain: random.pick([0, 10, 40]),
          slow: random.pick([0, 100]),
          late: !isSoleWriter,
        }
      : { unavailable: 0, uncertain: 0, slow: 0, late: false },
    eventFaults: {
      ...(has("events")
        ? { doubled: 3, late: 3 }
        : { doubled: 0, late: theme === "calm" ? 0 : random.pick([0, 0, 10]) }),
      ...(hasApi && has("api") ? doubt : { lost: 0, bare: 0, denied: 0 }),
    },
    audits,
    watchesQuiet: random.one(3),
    deadNode: has("nodes") && random.one(4),
  };
}

export function randomOf(seed: number): Random {
  return new Random(Math.imul(seed, 0x9e3779b1) >>> 0);
}
