/** Name and password. The hashes are secrets: no status, log or answer shows them. */
import * as v from "valibot";
import { sealedSchema } from "../sealed.ts";

/** What a check of it costs is bounded: cost 10, 20,000 rounds. As crypt(3) and htpasswd -B write them. */
export const passwordHash = v.pipe(
  v.string(),
  v.regex(
    /^(\$2[aby]\$(0[4-9]|10)\$[./A-Za-z0-9]{53}|\$[56]\$(rounds=([0-9]{1,4}|1[0-9]{4}|20000)\$)?[./A-Za-z0-9]{1,16}\$([./A-Za-z0-9]{43}|[./A-Za-z0-9]{86}))$/,
    "must be one of crypt(3): $2y$ with a cost of at most 10, $5$ or $6$ with at most 20000 rounds",
  ),
);

export const userName = v.pipe(
  v.string(),
  v.maxLength(128),
  v.regex(/^[^:\p{Cc}]+$/u, "must not be empty and have no colon and no control characters"),
);

/** Sealed wherever Entrance keeps it; a node gets the text. */
const user = v.object({ name: userName, hash: v.union([sealedSchema, passwordHash], passwordHash.pipe[1].message) });

export const maxUsers = 100;

export const authRealm = v.pipe(v.string(), v.maxLength(128), v.regex(/^[^"\\\p{Cc}]*$/u, "must have no quotes"));

export const basicAuthSchema = v.object({
  type: v.literal("BasicAuth"),
  basicAuth: v.object({
    realm: v.optional(authRealm),
    users: v.pipe(v.array(user), v.minLength(1, "must name somebody"), v.maxLength(maxUsers)),
  }),
});
