/** What is done to answers beside their headers: compression, and HSTS. */
import type { Filter } from "../../model/filter/filter.ts";
import { hstsSchema } from "../../model/filter/hsts.ts";
import { type Annotations, numberIn } from "./annotations.ts";

/** `gzip: "true"`; `hsts`: seconds, or the header as it is written (RFC 6797, 6.1). */
export function responseFilters(annotations: Annotations): Filter[] {
  const form = "seconds, or max-age=SECONDS; includeSubDomains; preload";
  const hsts = annotations.readAs("hsts", form, hstsSchema.entries.hsts, (text) => {
    const parts = text.split(";").map((part) => part.trim().toLowerCase());
    const [age = "", ...others] = parts;
    const known = others.every((part) => part === "includesubdomains" || part === "preload");
    return {
      maxAge: known ? numberIn(age.replace(/^max-age=/, "")) : Number.NaN,
      ...(others.includes("includesubdomains") && { includeSubDomains: true }),
      ...(others.includes("preload") && { preload: true }),
    };
  });
  return [
    ...(annotations.flag("gzip") ? [{ type: "Gzip" as const, gzip: {} }] : []),
    ...(hsts === undefined ? [] : [{ type: "Hsts" as const, hsts }]),
  ];
}
