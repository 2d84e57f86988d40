/** Bodies of the node's admin API v2: one JSON document for changes, a line for each resource of a snapshot. */
import type { Delivery } from "../port.ts";

const format = 1;

export function changesBody(delivery: Delivery): string {
  return JSON.stringify({
    format,
    ...delivery.target,
    base: delivery.type === "changes" ? delivery.base : 0,
    changes: delivery.resources,
  });
}

export function snapshotBody(delivery: Delivery): string {
  const header = {
    format,
    ...delivery.target,
    count: delivery.resources.length,
    ...(delivery.type === "snapshot" && delivery.replaces !== undefined ? { replaces: delivery.replaces } : {}),
  };
  const lines = [JSON.stringify(header), ...delivery.resources.map((resource) => JSON.stringify(resource))];
  return `${lines.join("\n")}\n`;
}
