/** A LIST of everything that finds nothing new: it sends nothing to any node. */
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../../cluster/api.ts";
import { rounded } from "../statistics.ts";
import type { ClusterFigures } from "./figures.ts";
import type { Site } from "./site.ts";
import { bytesToNodes } from "./trace-settings.ts";

const withinMs = 300_000;
/** What a LIST has marked is translated after it: by the timer at the latest, and told with the trace's next lines. */
const sentWithinMs = 6_000;

export async function benchResync(
  site: Site,
  say: (line: string) => void,
): Promise<NonNullable<ClusterFigures["resyncUnchanged"]>> {
  say("a LIST of everything, unchanged");
  const bytes = bytesToNodes(site.traceFolder);
  const before = await lastList(site);
  // One that is asked for waits until the last is ten seconds ago: that is not what is measured.
  await until("the last LIST is a while ago", async () => Date.now() - before > 10_500);
  const begun = performance.now();
  await site.installed.resync();
  await until("everything is listed", async () => (await lastList(site)) > before, withinMs);
  const seconds = (performance.now() - begun) / 1_000;
  await until("nothing is marked", async () => (await site.installed.status()).marks.due === 0, withinMs);
  await sleep(sentWithinMs);
  return { bytesToNodes: bytesToNodes(site.traceFolder) - bytes, seconds10000: rounded(seconds, 2) };
}

/** Ms since 1970. */
export async function lastList(site: Site): Promise<number> {
  return (await site.installed.status()).heard?.list ?? 0;
}
