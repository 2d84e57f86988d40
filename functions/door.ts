/** What every handler gets: Entrance, the settings, the counters. */
import type { Entrance } from "../shared/reconcile/entrance.ts";
import type { Config } from "./config.ts";
import type { ProcessCounters } from "./counters.ts";

export interface Door {
  readonly entrance: Entrance;
  readonly config: Config;
  readonly counters: ProcessCounters;
  /** Whether a webhook's caller needs no token, by what the host hands over with its request. Absent: each needs one. */
  readonly isKnownCaller?: ((environment: unknown) => boolean) | undefined;
}
