/** Bodies of the node's admin API v2: one JSON document for changes, a line for each resource of a snapshot. */
import type { Delivery } from "../port.ts";

const format = 1;

type Changes = Extract<Delivery, { type: "changes" }>;
type Snapshot = Extract<Delivery, { type: "snapshot" }>;

export function changesBody(delivery: Changes): string {
  return JSON.stringify({
    format,
    ...delivery.target,
    base: delivery.base,
    changes: delivery.resources,
  });
}

export function snapshotBody(delivery: Snapshot): string {
  const header = {
    format,
    ...delivery.target,
    count: delivery.resources.length,
    ...(delivery.replaces === undefined ? {} : { replaces: delivery.replaces }),
  };
  const lines = [JSON.stringify(header), ...delivery.resources.map((resource) => JSON.stringify(resource))];
  return `${lines.join("\n")}\n`;
}
