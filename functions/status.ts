/** GET /status: what Entrance knows and how far its nodes are, as JSON. */
import type { Context } from "hono";
import { EntranceError } from "../shared/model/error.ts";
import { surveyHeard } from "../shared/reconcile/heard.ts";
import {
  surveyBalancers,
  surveyClosed,
  surveyDomains,
  surveyMarks,
  surveyRefused,
} from "../shared/reconcile/survey.ts";
import { surveyCertificates } from "../shared/reconcile/survey-certificates.ts";
import type { Door } from "./door.ts";
import { listIs } from "./resync.ts";

const defaultDomains = 100;
const maxDomains = 1_000;
const maxRefused = 1_000;
const maxCertificates = 1_000;

export async function status(door: Door, context: Context): Promise<Response> {
  const limit = Number(context.req.query("limit") ?? defaultDomains);
  if (!Number.isInteger(limit) || limit < 1 || limit > maxDomains) {
    throw new EntranceError("invalid", `limit must be a whole number from 1 to ${maxDomains}`);
  }
  const limits = { domains: limit, certificates: maxCertificates };
  return context.json(await readStatus(door, context.req.query("after"), limits));
}

export type Status = Awaited<ReturnType<typeof readStatus>>;

interface Limits {
  readonly domains: number;
  readonly certificates: number;
}

/** `after` is the `next` of an answer before; at most so many domains and certificates, and 1,000 refused objects. */
export async function readStatus(door: Door, after: string | undefined, limits: Limits) {
  const { context } = door.entrance;
  // First: where none is due, what follows has all that was told before this was asked.
  const marks = await surveyMarks(context);
  const [closed, heard, balancers, refused, certificates, domains] = await Promise.all([
    surveyClosed(context),
    surveyHeard(context),
    surveyBalancers(door.entrance),
    surveyRefused(context, maxRefused),
    surveyCertificates(context, limits.certificates),
    surveyDomains(context, after, limits.domains),
  ]);
  return {
    instance: context.instance,
    store: door.config.store.type,
    ...(closed === undefined ? {} : { closed }),
    list: listIs(door),
    ...(heard === undefined ? {} : { heard }),
    marks,
    balancers,
    refused,
    certificates,
    domains: domains.domains,
    ...(domains.next === undefined ? {} : { next: domains.next }),
  };
}
