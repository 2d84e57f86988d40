/** What pages of other origins may ask. */
import { corsSchema } from "../../model/filter/cors.ts";
import type { Filter } from "../../model/filter/filter.ts";
import { type Annotations, listed, numberIn } from "./annotations.ts";

const origins = "cors-allow-origins";
/** What pages use where nothing else is said. */
const usualMethods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/**
 * | annotation                                  | value                                        |
 * |---------------------------------------------|----------------------------------------------|
 * | `cors-allow-origins`                        | `https://shop.example,https://*.b.example,…` |
 * | `cors-allow-methods`                        | `GET,PUT`; absent: the usual ones            |
 * | `cors-allow-headers`, `cors-expose-headers` | `X-A,X-B`; absent: all, none                 |
 * | `cors-allow-credentials`                    | `true`                                       |
 * | `cors-max-age`                              | seconds                                      |
 */
export function corsFilters(annotations: Annotations): Filter[] {
  const { entries } = corsSchema.entries.cors;
  for (const name of ["allow-methods", "allow-headers", "expose-headers", "allow-credentials", "max-age"]) {
    annotations.needs(`cors-${name}`, origins);
  }
  const headersForm = "headers' names joined by commas, or *";
  const allowOrigins = annotations.readAs(
    origins,
    "origins such as https://shop.example or https://*.shop.example joined by commas, or *",
    entries.allowOrigins,
    listed,
  );
  const allowMethods =
    annotations.readAs("cors-allow-methods", "methods joined by commas, or *", entries.allowMethods, listed) ??
    usualMethods;
  const allowHeaders = annotations.readAs("cors-allow-headers", headersForm, entries.allowHeaders, listed) ?? ["*"];
  const exposeHeaders = annotations.readAs("cors-expose-headers", headersForm, entries.exposeHeaders, listed);
  const allowCredentials = annotations.flag("cors-allow-credentials");
  const maxAge = annotations.readAs("cors-max-age", "seconds, at most 86400", entries.maxAge, numberIn);
  if (allowOrigins === undefined) return [];
  const cors = {
    allowOrigins,
    allowMethods,
    allowHeaders,
    ...(exposeHeaders && { exposeHeaders }),
    ...(allowCredentials && { allowCredentials }),
    ...(maxAge !== undefined && { maxAge }),
  };
  return [{ type: "CORS", cors }];
}
