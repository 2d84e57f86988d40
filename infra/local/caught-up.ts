/** Whether the local node serves all that Entrance knows; asked of Entrance's status. */
import * as v from "valibot";
import type { Settings } from "./settings.ts";

const Status = v.object({
  marks: v.object({ due: v.number() }),
  balancers: v.array(v.object({ nodes: v.array(v.object({ url: v.string(), lag: v.optional(v.number()) })) })),
});

const timeoutMs = 2_000;

export async function isCaughtUp({ url, operatorToken, node }: Settings): Promise<boolean> {
  const headers = operatorToken === undefined ? {} : { authorization: `Bearer ${operatorToken}` };
  const response = await fetch(`${url}/status?limit=1`, { headers, signal: AbortSignal.timeout(timeoutMs) });
  const { marks, balancers } = v.parse(Status, await response.json());
  const ours = balancers.flatMap(({ nodes }) => nodes).filter((each) => each.url === nodeUrl(node));
  return marks.due === 0 && ours.every(({ lag }) => lag === 0);
}

export function nodeUrl({ admin }: Settings["node"]): string {
  return `http://127.0.0.1:${admin}`;
}
