/** How it is known whether a member of a pool can serve: by asking it (active), and by what happens to requests (passive). */
import * as v from "valibot";
import { duration } from "./duration.ts";
import { hostname } from "./filter/hostname.ts";

/** Below this a check would be most of what a small member does. */
const leastSeconds = 0.1;
const maxSeconds = 3_600;
const maxTimeoutSeconds = 60;
const maxStatuses = 16;

function count(least: number, most: number) {
  const message = `must be a whole number from ${least} to ${most}`;
  return v.pipe(v.number(message), v.integer(message), v.minValue(least, message), v.maxValue(most, message));
}

const pathMessage = "must begin with / and have at most 1024 visible characters of ASCII";
const statusesMessage = `must be statuses and ranges of them from 100 to 599, at most ${maxStatuses}, such as 200-399,401`;

function areStatuses(text: string): boolean {
  const parts = text.split(",", maxStatuses + 1);
  return (
    parts.length <= maxStatuses &&
    parts.every((part) => {
      const [, low = "", high = low] = /^([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?$/.exec(part) ?? [];
      return low !== "" && low <= high;
    })
  );
}

export const activeHealthSchema = v.object({
  /** `grpc`: grpc.health.v1.Health/Check of the whole server. `tcp`: it takes a connection. */
  type: v.picklist(["http", "grpc", "tcp"], "must be http, grpc or tcp"),
  /** Of http: absent means `/`. */
  path: v.optional(v.pipe(v.string(pathMessage), v.regex(/^\/[\x21-\x7e]{0,1023}$/, pathMessage))),
  /** Of http: the Host that the member hears; absent: its address and port. */
  host: v.optional(hostname),
  /** Absent: 5s. */
  interval: v.optional(duration(maxSeconds, leastSeconds)),
  /** Absent: 2s. */
  timeout: v.optional(duration(maxTimeoutSeconds, leastSeconds)),
  /** So many good answers one after another bring a member back; absent: 2. */
  healthy: v.optional(count(1, 100)),
  /** So many bad ones take it out; absent: 3. */
  unhealthy: v.optional(count(1, 100)),
  /** Of http: which answers are good; absent: 200-399. */
  statuses: v.optional(v.pipe(v.string(statusesMessage), v.check(areStatuses, statusesMessage))),
});

export const passiveHealthSchema = v.object({
  /** So many failed tries within `for` set a member aside; 0: none ever does. Absent: 1. */
  failures: v.optional(count(0, 1_000)),
  /** How long it is set aside; absent: 5s. */
  for: v.optional(duration(maxSeconds, leastSeconds)),
});

export const healthSchema = v.object({
  active: v.optional(activeHealthSchema),
  passive: v.optional(passiveHealthSchema),
});

export type Health = v.InferOutput<typeof healthSchema>;
