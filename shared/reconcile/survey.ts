/** What is known, for people and for metrics. Pages through the store; nothing here is on the way of a change. */

import { parseReferenceKey, type Reference } from "../model/reference.ts";
import { parseResourceKey } from "../model/resource-key.ts";
import type { Rejection } from "../plugins/port.ts";
import { maxPageSize } from "../store/port.ts";
import type { Entrance } from "./entrance.ts";
import { type Head, readHead } from "./head.ts";
import {
  dirtyPartition,
  headKey,
  laterPartition,
  lockKey,
  nodeRecordKey,
  refusedPartition,
  wantPartition,
} from "./keys.ts";
import { closedSentence, readLock } from "./lock.ts";
import { readMark } from "./mark.ts";
import { readNodeRecord } from "./node-record.ts";
import { type Refused, readRefused } from "./refused.ts";
import type { Context } from "./settings.ts";
import { listUsers } from "./users.ts";
import { readWant, type Want } from "./want.ts";

export interface BalancerSurvey {
  readonly name: string;
  readonly classes: readonly string[];
  readonly addresses: readonly string[];
  readonly head: Head | undefined;
  /** Ms since 1970: since then nothing is pushed, by an operator's command. */
  readonly frozen: number | undefined;
  readonly nodes: readonly NodeSurvey[];
}

export interface NodeSurvey {
  readonly url: string;
  /** What it acknowledged to this copy last; undefined: it has not answered yet. */
  readonly revision: number | undefined;
  /** Revisions behind the head. */
  readonly lag: number | undefined;
  /** Ms since this copy found it behind its head; 0: it is there. */
  readonly lagMs: number;
  readonly error: string | undefined;
  readonly rejected: readonly Rejection[];
  /** Ms since 1970. */
  readonly answeredAt: number | undefined;
}

export async function surveyBalancers(entrance: Entrance): Promise<BalancerSurvey[]> {
  const { context, pusher } = entrance;
  return Promise.all(
    context.balancers.map(async (balancer) => {
      const head = readHead(await context.store.get(headKey(balancer.name)));
      const nodes = balancer.nodes.map(async (url): Promise<NodeSurvey> => {
        const { state, error, answeredAt, revision, behindSince } = pusher.memory(balancer, url);
        const record = await context.store.get(nodeRecordKey(balancer.name, url));
        const told = error ?? (record === undefined ? undefined : readNodeRecord(record).error);
        const lagMs = behindSince === undefined ? 0 : context.now() - behindSince;
        const lag = head === undefined || revision === undefined ? undefined : head.revision - revision;
        return { url, revision, lag, lagMs, error: told, rejected: state?.rejected ?? [], answeredAt };
      });
      const { name, classes, addresses } = balancer;
      return { name, classes, addresses, head, frozen: head?.frozen, nodes: await Promise.all(nodes) };
    }),
  );
}

/** Undefined: the store is open. */
export async function surveyClosed({ store }: Context): Promise<string | undefined> {
  const { closed } = readLock(await store.get(lockKey));
  return closed === undefined ? undefined : closedSentence(closed);
}

export async function frozenBalancers({ store, balancers }: Context): Promise<string[]> {
  const heads = await Promise.all(balancers.map(({ name }) => store.get(headKey(name))));
  return balancers.flatMap(({ name }, index) => (readHead(heads[index])?.frozen === undefined ? [] : [name]));
}

/** Counted up to so many, in the order of their names; beyond that the number says "at least". */
const maxCounted = 2_000;

export async function surveyMarks(context: Context): Promise<{ due: number; later: number; oldestMs: number }> {
  let due = 0;
  let oldest = context.now();
  let after: string | undefined;
  do {
    const page = await context.store.list(dirtyPartition, after, maxPageSize);
    for (const entry of page.entries) oldest = Math.min(oldest, readMark(entry).first);
    due += page.entries.length;
    after = page.next;
  } while (after !== undefined && due < maxCounted);
  const later = (await context.store.list(laterPartition, undefined, maxPageSize)).entries.length;
  return { due, later, oldestMs: context.now() - oldest };
}

export interface RefusedSurvey extends Refused {
  readonly object: string;
}

/** Objects with reasons, in order of their keys, at most `limit`. */
export async function surveyRefused(context: Context, limit: number): Promise<RefusedSurvey[]> {
  const page = await context.store.list(refusedPartition, undefined, limit);
  return page.entries.map((entry) => ({ object: decodeURIComponent(entry.key.sort), ...readRefused(entry) }));
}

export interface DomainSurvey {
  readonly name: string;
  readonly tenant: string;
  readonly balancers: readonly string[];
  readonly routes: readonly RouteSurvey[];
}

export interface RouteSurvey {
  readonly rule: string;
  readonly path: unknown;
  readonly pools: readonly { readonly pool: string; readonly members: readonly unknown[] }[];
}

/** Domains with their routes, pools and members, in order of their names; `next` goes on behind the last one. */
export async function surveyDomains(
  context: Context,
  after: string | undefined,
  limit: number,
): Promise<{ domains: DomainSurvey[]; next: string | undefined }> {
  const page = await context.store.list(wantPartition("Domain"), after, limit);
  const members = new Map<string, Promise<readonly unknown[]>>();
  const domains = await Promise.all(
    page.entries.map(async (entry): Promise<DomainSurvey[]> => {
      const reference = parseReferenceKey(`Domain/${entry.key.sort}`);
      if (reference === undefined) return [];
      const { want } = await readWant(context.store, reference);
      const tenant = want.holding?.type === "domain" ? want.holding.tenant : "";
      const routes = await routesOf(context, reference, members);
      return [{ name: reference.name, tenant, balancers: Object.keys(want.resources), routes }];
    }),
  );
  return { domains: domains.flat(), next: page.next };
}

async function routesOf(
  context: Context,
  domain: Reference,
  members: Map<string, Promise<readonly unknown[]>>,
): Promise<RouteSurvey[]> {
  const users = await listUsers(context.store, domain);
  const routes = users.map(async ({ reference }) => {
    const { want } = await readWant(context.store, reference);
    const found: RouteSurvey[] = [];
    for (const resources of Object.values(want.resources)) {
      for (const [key, { value }] of Object.entries(resources)) {
        const parsed = parseResourceKey(key);
        if (parsed?.kind !== "Rule" || parsed.segments[0] !== domain.name) continue;
        const pools = poolNames(value).map(async (pool) => {
          const known = members.get(pool) ?? membersOf(context, pool);
          members.set(pool, known);
          return { pool, members: await known };
        });
        found.push({ rule: key, path: pathOf(value), pools: await Promise.all(pools) });
      }
    }
    return found;
  });
  return (await Promise.all(routes)).flat();
}

async function membersOf(context: Context, pool: string): Promise<readonly unknown[]> {
  const [namespace = "", name = "", port = ""] = parseResourceKey(pool)?.segments ?? [];
  const service: Reference = { kind: "Service", namespace, name };
  const found: unknown[] = [];
  for (const { reference } of await listUsers(context.store, service)) {
    if (reference.kind !== "EndpointSlice") continue;
    const { want } = await readWant(context.store, reference);
    found.push(...membersFor(want, port));
  }
  return found;
}

function membersFor(want: Want, port: string): unknown[] {
  const [resources = {}] = Object.values(want.resources);
  return Object.entries(resources).flatMap(([key, { value }]) => {
    const isOfPool = parseResourceKey(key)?.segments[2] === port;
    return isOfPool && isObject(value) && Array.isArray(value["members"]) ? value["members"] : [];
  });
}

function poolNames(rule: unknown): string[] {
  const pools = isObject(rule) && Array.isArray(rule["pools"]) ? rule["pools"] : [];
  return pools.flatMap((each) => (isObject(each) && typeof each["pool"] === "string" ? [each["pool"]] : []));
}

function pathOf(rule: unknown): unknown {
  return isObject(rule) && isObject(rule["matches"]) ? rule["matches"]["path"] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
