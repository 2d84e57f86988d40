/** What an object asks of all its rules by annotations, beside hosts, paths and backends. */
import type { Filter } from "../../model/filter/filter.ts";
import type { Retry, Timeouts } from "../../model/retry.ts";
import type { Matches } from "../../model/rule.ts";
import type { Problem } from "../translation.ts";
import { accessFilters } from "./access.ts";
import { Annotations } from "./annotations.ts";
import { type AuthWish, authOf } from "./auth.ts";
import { corsFilters } from "./cors.ts";
import { headerFilters } from "./headers.ts";
import { matchesOf } from "./matches.ts";
import { type PathWish, pathWishOf } from "./path.ts";
import { responseFilters } from "./response.ts";
import { type Share, shareOf } from "./share.ts";
import { retryOf, timeoutsOf } from "./tries.ts";

export interface Wish {
  readonly matches: Omit<Matches, "path">;
  readonly filters: readonly Filter[];
  readonly path: PathWish;
  readonly timeouts?: Timeouts;
  readonly retry?: Retry;
  /** A Service that gets copies of requests, and one that gets a share of them. */
  readonly mirror?: Share;
  readonly canary?: Share;
  readonly auth?: AuthWish;
  /** Nobody is let in, since it is not known who may be. */
  readonly isClosed?: true;
}

/** An object's annotations, parsed; what can't be used is among the problems. */
export function wishOf(
  object: { readonly kind: "Service" | "Ingress"; readonly annotations: Readonly<Record<string, string>> },
  prefix: string,
  problems: Problem[],
): Wish {
  const annotations = new Annotations(object.annotations, prefix, problems);
  const timeouts = timeoutsOf(annotations);
  const retry = retryOf(annotations);
  const mirror = shareOf(annotations, "mirror");
  const canary = shareOf(annotations, "canary");
  const auth = authOf(annotations);
  return {
    matches: matchesOf(annotations),
    filters: [
      ...accessFilters(annotations),
      ...corsFilters(annotations),
      ...headerFilters(annotations),
      ...responseFilters(annotations),
    ],
    path: pathWishOf(annotations, object.kind),
    ...(timeouts === undefined ? {} : { timeouts }),
    ...(retry === undefined ? {} : { retry }),
    ...(mirror === undefined ? {} : { mirror }),
    ...(canary === undefined ? {} : { canary }),
    ...(auth === undefined ? {} : { auth }),
  };
}
