/** Which member of a pool gets a request. */
import * as v from "valibot";
import { duration } from "./duration.ts";

const maxAffinitySeconds = 31_536_000;

export const balances = ["round-robin", "least-connections", "hash"] as const;

/** RFC 9110, 5.6.2: names of headers and of cookies (RFC 6265, 4.1.1) are tokens. */
const tokenMessage = "must be a name of at most 256 letters, digits and hyphens";
const token = v.pipe(v.string(tokenMessage), v.regex(/^[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,256}$/, tokenMessage));

/** What requests have in common that go to one member. */
export const hashSchema = v.variant(
  "by",
  [
    v.object({ by: v.picklist(["header", "cookie"]), name: token }),
    /** The client's address. */
    v.object({
      by: v.literal("source"),
      name: v.optional(v.never("hash.name must be absent where hash.by is source")),
    }),
  ],
  "hash.by must be header, cookie or source",
);

/** The node sets this cookie, and whoever brings it back gets the same member. */
export const affinitySchema = v.object({
  cookie: token,
  /** Absent: until the browser is closed. */
  maxAge: v.optional(duration(maxAffinitySeconds, 1)),
});

export type Hash = v.InferOutput<typeof hashSchema>;
export type Affinity = v.InferOutput<typeof affinitySchema>;
