/** GET /metrics: Prometheus' text format, version 0.0.4. */
import type { Context } from "hono";
import { surveyHeard } from "../shared/reconcile/heard.ts";
import { surveyBalancers, surveyClosed, surveyMarks } from "../shared/reconcile/survey.ts";
import { seriesName } from "./counters.ts";
import type { Door } from "./door.ts";

/** They are there from the start, so that whoever watches them knows zero from nothing. */
const fromTheStart = [
  ["entrance_fences_total", {}],
  ["entrance_lock_takeovers_total", {}],
  ["entrance_lost_events_total", {}],
  ["entrance_conflicts_total", { at: "trigger" }],
  ["entrance_conflicts_total", { at: "turn" }],
  ["entrance_turned_away_total", {}],
] as const;

export async function metrics(door: Door, context: Context): Promise<Response> {
  const lines = new Map<string, string[]>();
  const put = (type: string, name: string, series: string, value: number): void => {
    const known = lines.get(name) ?? [`# TYPE ${name} ${type}`];
    known.push(`${series} ${value}`);
    lines.set(name, known);
  };
  const gauge = (name: string, labels: Record<string, string>, value: number): void =>
    put("gauge", name, seriesName(name, labels), value);

  const counted = new Map(fromTheStart.map(([name, labels]) => [seriesName(name, labels), 0]));
  for (const [series, value] of door.counters.all()) counted.set(series, value);
  for (const [series, value] of counted) put("counter", series.split("{", 1)[0] ?? series, series, value);
  const heard = await surveyHeard(door.entrance.context);
  for (const way of ["review", "audit", "list"] as const) {
    const at = heard?.[way];
    if (at !== undefined) gauge("entrance_last_heard_seconds", { way }, at / 1_000);
  }
  gauge("entrance_store_closed", {}, (await surveyClosed(door.entrance.context)) === undefined ? 0 : 1);
  const marks = await surveyMarks(door.entrance.context);
  gauge("entrance_marks_due", {}, marks.due);
  gauge("entrance_marks_later", {}, marks.later);
  gauge("entrance_oldest_mark_seconds", {}, marks.oldestMs / 1_000);
  for (const balancer of await surveyBalancers(door.entrance)) {
    gauge("entrance_frozen", { balancer: balancer.name }, balancer.frozen === undefined ? 0 : 1);
    gauge("entrance_head_revision", { balancer: balancer.name }, balancer.head?.revision ?? 0);
    for (const node of balancer.nodes) {
      const labels = { balancer: balancer.name, node: node.url };
      gauge("entrance_node_up", labels, node.error === undefined && node.revision !== undefined ? 1 : 0);
      if (node.lag !== undefined) gauge("entrance_node_lag_revisions", labels, node.lag);
      gauge("entrance_node_lag_seconds", labels, node.lagMs / 1_000);
      gauge("entrance_node_rejected", labels, node.rejected.length);
    }
  }
  for (const { namespace, secret, notAfter } of await door.entrance.certificateEnds.get()) {
    gauge("entrance_certificate_not_after_seconds", { namespace, secret }, notAfter);
  }
  const text = [...lines.values()].map((each) => `${each.join("\n")}\n`).join("");
  return context.body(text, 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
}
