/** Who may ask, how often, and how much: source ranges, rate limits, the body's limit. */
import { bodyLimitSchema } from "../../model/filter/body-limit.ts";
import type { Filter } from "../../model/filter/filter.ts";
import { rateLimitSchema } from "../../model/filter/rate-limit.ts";
import { sourceRangesSchema } from "../../model/filter/source-ranges.ts";
import { type Annotations, listed, numberIn } from "./annotations.ts";

const rangesForm = "addresses or ranges joined by commas, such as 10.0.0.0/8,2001:db8::/32";
const rateForm = "a number of requests per s, m or h, such as 10r/s";
const byForm = "address, all or header:NAME";
const bodyForm = "a number of bytes, or of k, m or g, such as 10m";

/**
 * | annotation                                   | value                        |
 * |----------------------------------------------|------------------------------|
 * | `allow-source-ranges`, `deny-source-ranges`  | `RANGE,…`                    |
 * | `rate-limit`                                 | `10r/s`, `100r/m`, `1000r/h` |
 * | `rate-limit-burst`, `rate-limit-by`          | `20`; `header:X-Key`         |
 * | `body-limit`                                 | `10m`                        |
 */
export function accessFilters(annotations: Annotations): Filter[] {
  const filters = [...sourceRanges(annotations), ...rateLimit(annotations)];
  const maxBytes = annotations.readAs(
    "body-limit",
    bodyForm,
    bodyLimitSchema.entries.bodyLimit.entries.maxBytes,
    bytesIn,
  );
  return maxBytes === undefined ? filters : [...filters, { type: "BodyLimit", bodyLimit: { maxBytes } }];
}

const unitBytes: Readonly<Record<string, number>> = { "": 1, k: 1_024, m: 1_024 ** 2, g: 1_024 ** 3 };

function bytesIn(text: string): number {
  const [, digits = "", unit = ""] = /^([0-9]{1,12})([kmg]?)$/i.exec(text) ?? [];
  return digits === "" ? Number.NaN : Number(digits) * (unitBytes[unit.toLowerCase()] ?? Number.NaN);
}

function sourceRanges(annotations: Annotations): Filter[] {
  const read = (name: string) =>
    annotations.readAs(`${name}-source-ranges`, rangesForm, sourceRangesSchema.entries.sourceRanges, (text) => ({
      deny: listed(text),
    }))?.deny;
  const [allow, deny] = [read("allow"), read("deny")];
  if (allow === undefined && deny === undefined) return [];
  return [{ type: "SourceRanges", sourceRanges: { ...(allow && { allow }), ...(deny && { deny }) } }];
}

const periods: Readonly<Record<string, string>> = { s: "1s", m: "1m", h: "1h" };

function rateLimit(annotations: Annotations): Filter[] {
  const { requests: count, key } = rateLimitSchema.entries.rateLimit.entries;
  annotations.needs("rate-limit-burst", "rate-limit");
  annotations.needs("rate-limit-by", "rate-limit");
  const limit = annotations.readAs("rate-limit", rateForm, rateLimitSchema.entries.rateLimit, (text) => {
    const [, digits = "", unit = ""] = /^([0-9]{1,7})r\/([smh])$/.exec(text) ?? [];
    return { requests: numberIn(digits), period: periods[unit] ?? "1s" };
  });
  const burst = annotations.readAs("rate-limit-burst", "a number of requests", count, numberIn);
  const by = annotations.readAs("rate-limit-by", byForm, key, (text) => {
    if (text === "address") return { type: "ClientAddress" };
    if (text === "all") return { type: "All" };
    return { type: "Header", name: text.startsWith("header:") ? text.slice("header:".length).trim() : "" };
  });
  if (limit === undefined) return [];
  return [{ type: "RateLimit", rateLimit: { ...limit, ...(burst && { burst }), ...(by && { key: by }) } }];
}
