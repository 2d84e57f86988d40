/** Gateway API's CORS: what pages of other origins may ask. The node answers preflights. */
import * as v from "valibot";
import { headerName } from "./header.ts";

const origin = v.pipe(
  v.string(),
  v.maxLength(253),
  v.regex(
    /^(\*|[a-z][a-z0-9+.-]*:\/\/(\*?[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?)$/,
    "must be an origin such as https://shop.example, https://*.shop.example or *",
  ),
);
const method = v.pipe(v.string(), v.regex(/^([A-Z]{1,32}|\*)$/, "must be a method such as PUT, or *"));
const header = v.union([v.literal("*"), headerName], "must be a header's name, or *");

function few<Item extends v.GenericSchema<string>>(item: Item) {
  return v.pipe(v.array(item), v.maxLength(64, "must be a list of at most 64"));
}

export const corsSchema = v.object({
  type: v.literal("CORS"),
  cors: v.object({
    allowOrigins: v.pipe(few(origin), v.minLength(1, "must name an origin")),
    allowMethods: v.optional(few(method)),
    allowHeaders: v.optional(few(header)),
    exposeHeaders: v.optional(few(header)),
    allowCredentials: v.optional(v.boolean()),
    /** Seconds; absent: 5. */
    maxAge: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(86_400, "must be at most 86400"))),
  }),
});
