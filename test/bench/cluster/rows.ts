/** The rows in their order: those that need few objects first. */
import { until } from "../../cluster/api.ts";
import type { Facts } from "../../cluster/field.ts";
import type { ClusterOptions } from "../cluster.ts";
import { rounded } from "../statistics.ts";
import { type Admission, benchAdmission } from "./admission.ts";
import { type AdmissionTable, admissionTable } from "./admission-table.ts";
import { benchBurst } from "./burst.ts";
import { type BurstTable, burstTable } from "./burst-table.ts";
import { benchChangedRoute } from "./changed-route.ts";
import { churnedObjects, startChurn } from "./churn.ts";
import { benchEndpointRemoval } from "./endpoint-removal.ts";
import type { ClusterFigures } from "./figures.ts";
import { benchNewRoute, type NewRoutes } from "./new-route.ts";
import { benchResync, lastList } from "./resync.ts";
import { hostOf, route, Site } from "./site.ts";
import { readCopies, readTrace } from "./trace-settings.ts";
import { traceTable } from "./trace-table.ts";

type Say = (line: string) => void;
type Row = keyof ClusterFigures;

const few = 100;
const reviewed = Array.from({ length: few }, (_, number) => `few-${number}`);
/** A quarter of an hour of an idle machine's time, at most. */
const fillMs = 600_000;
const webhooks = ["entrance", "entrance-endpointslices"].map((name) => ({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingWebhookConfiguration",
  metadata: { name },
}));

/** `add` gets each row as it is there. One that fails is told, and the others go on. */
export async function runRows(
  facts: Facts,
  options: ClusterOptions,
  say: Say,
  add: (row: ClusterFigures) => void,
): Promise<void> {
  const wants = (...rows: readonly Row[]) =>
    options.only.length === 0 || rows.some((row) => options.only.includes(row));
  const attempt = async (title: string, isWanted: boolean, work: () => Promise<unknown>): Promise<void> => {
    if (!isWanted) return;
    try {
      await work();
    } catch (error) {
      console.error(`  ${title} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      process.exitCode = 1;
    }
  };
  await attempt("burst1000", wants("burst1000"), async () => {
    const site = await Site.start(facts, { nodes: 3, trace: options.trace });
    const burst = await benchBurst(site, say);
    add({ burst1000: burst.figures });
    if (options.trace) printBurst(burstTable(burst, readTrace(site.traceFolder)));
    await site.stop();
  });
  const site = await Site.start(facts, { nodes: 1, trace: options.trace });
  const traced = (title: string, { timed }: NewRoutes) => {
    if (options.trace) printTrace(title, site, timed);
  };
  let small: Admission | undefined;
  await attempt("admission", wants("admission"), async () => {
    await site.create(reviewed.map((name) => route(name)));
    await site.quiet();
    small = await benchAdmission(site, reviewed, say);
    if (options.trace) printAdmission(`${few} Ingresses`, admissionTable(small, readCopies(site.traceFolder)));
  });
  await attempt("newRoute", wants("newRoute"), async () => {
    const rows = await benchNewRoute(site, "new", options.routes, say);
    add({ newRoute: rows.figures });
    traced("newRoute", rows);
    await site.quiet();
  });
  await attempt("changedRoute", wants("changedRoute"), async () =>
    add({ changedRoute: await benchChangedRoute(site, say) }),
  );
  await attempt("endpointRemoval", wants("endpointRemoval"), async () =>
    add({ endpointRemoval: await benchEndpointRemoval(site, say) }),
  );
  await attempt("many Ingresses", wants("admission", "resyncUnchanged", "newRouteUnderChurn"), () =>
    fill(site, options.ingresses, say),
  );
  await attempt("resyncUnchanged", wants("resyncUnchanged"), async () =>
    add({ resyncUnchanged: await benchResync(site, say) }),
  );
  await attempt("admission", small !== undefined, async () => {
    const large = await benchAdmission(site, reviewed, say);
    const many = `${options.ingresses} Ingresses`;
    if (options.trace) printAdmission(many, admissionTable(large, readCopies(site.traceFolder)));
    const { p99Ms: p99Ms10000, medianMs: medianMs10000 } = large;
    const { p99Ms: p99Ms100, medianMs: medianMs100 } = small ?? large;
    add({ admission: { p99Ms100, p99Ms10000, medianMs100, medianMs10000 } });
  });
  await attempt("newRouteUnderChurn", wants("newRouteUnderChurn"), async () => {
    const churn = startChurn(site, Math.floor(options.ingresses / 2));
    const rows = await benchNewRoute(site, "under-churn", options.routes, say);
    const { written, seconds } = await churn.stop();
    const slicesPerSecond = rounded(written / seconds, 1);
    add({ newRouteUnderChurn: { ...rows.figures, slicesWritten: written, slicesPerSecond } });
    traced("newRouteUnderChurn", rows);
  });
}

/** All these Ingresses, of half of which the endpoints will churn: written unseen, and found by a LIST. */
async function fill(site: Site, many: number, say: Say): Promise<void> {
  const churned = Math.floor(many / 2);
  say(`${many} Ingresses, ${churned} Services and their EndpointSlices`);
  const kept = await Promise.all(webhooks.map((webhook) => site.api.get(webhook)));
  for (const webhook of webhooks) await site.api.delete(webhook);
  await site.create(Array.from({ length: churned }, (_, number) => churnedObjects(number)).flat());
  const others = Array.from({ length: many - churned }, (_, number) => route(`many-${number}`));
  await site.create(others);
  const before = await lastList(site);
  await site.installed.resync();
  say("all of it is listed and translated");
  await until("everything is listed", async () => (await lastList(site)) > before, fillMs);
  const client = site.client();
  const last = hostOf(`many-${many - churned - 1}`);
  await until("all of it is served", async () => (await client.get(last)).status === 200, fillMs);
  await client.close();
  say("users are told of it");
  await until("nothing is marked", async () => (await site.installed.status()).marks.due === 0, fillMs);
  await site.quiet();
  for (const webhook of kept) {
    if (webhook === undefined) continue;
    const { resourceVersion: _, uid: __, ...metadata } = webhook.metadata;
    await site.api.create({ ...webhook, metadata });
  }
}

function printBurst({ ends, counts }: BurstTable): void {
  console.error("\nburst1000: when each stage was done with the last of them, in ms after the last write had returned");
  for (const [stage, ms] of Object.entries(ends)) console.error(`  ${stage.padEnd(60)}${ms.toFixed(0).padStart(8)}`);
  console.error(`  ${JSON.stringify(counts)}\n`);
}

function printAdmission(title: string, { stages, counts, reviews }: AdmissionTable): void {
  const columns = (...values: readonly string[]) => values.map((value) => value.padStart(12)).join("");
  console.error(`\nadmission, ${title}: where each millisecond goes, on average over ${reviews} reviews`);
  console.error(`  ${"".padEnd(52)}${columns("all", "slowest 2 %")}`);
  for (const { stage, ms, slowestMs } of stages) {
    console.error(`  ${stage.padEnd(52)}${columns(ms.toFixed(2), slowestMs.toFixed(2))}`);
  }
  console.error(`  ${JSON.stringify(counts)}\n`);
}

function printTrace(title: string, site: Site, timed: NewRoutes["timed"]): void {
  const { stages, counts, routes } = traceTable(timed, readTrace(site.traceFolder));
  console.error(`\n${title}: where each millisecond goes, on average over ${routes} routes`);
  console.error(
    stages
      .map(
        ({ stage, ms, endsAtMs }) =>
          `  ${stage.padEnd(52)}${ms.toFixed(2).padStart(8)}${endsAtMs.toFixed(2).padStart(10)}`,
      )
      .join("\n"),
  );
  console.error(`  ${JSON.stringify(counts)}\n`);
}
