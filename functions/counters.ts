/** Counters of this process, in Prometheus' text format (version 0.0.4). */
import type { Counters } from "../shared/reconcile/settings.ts";

/** Label values come from closed sets; this bounds memory if one does not. */
const maxSeries = 10_000;

export class ProcessCounters implements Counters {
  readonly #series = new Map<string, number>();

  add(name: string, labels: Readonly<Record<string, string>> = {}, by = 1): void {
    const series = seriesName(name, labels);
    if (!this.#series.has(series) && this.#series.size >= maxSeries) return;
    this.#series.set(series, (this.#series.get(series) ?? 0) + by);
  }

  /** By name of series, sorted. */
  all(): [string, number][] {
    return [...this.#series].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

export function seriesName(name: string, labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
