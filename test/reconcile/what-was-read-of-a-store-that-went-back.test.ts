/** What is known is whole again only after a LIST: a store that goes back while it is read for a node tells it nothing. */
import { expect, test } from "vitest";
import { readHead } from "../../shared/reconcile/head.ts";
import { headKey, logPartition, wantPartition } from "../../shared/reconcile/keys.ts";
import { Pusher } from "../../shared/reconcile/push.ts";
import { newTestEntrance } from "../harness/entrance.ts";
import { newModelNode } from "../harness/model-node.ts";
import { pausedStore } from "../harness/paused-store.ts";
import { observed, seenIngress } from "../harness/seen.ts";

const ways = [
  { way: "everything", listed: wantPartition("Namespace"), isEmptied: true },
  { way: "changes", listed: logPartition("openresty"), isEmptied: false },
];
const became = [{ complete: false }, { closed: 1 }];

test.each(ways.flatMap((way) => became.map((is) => ({ ...way, is }))))(
  "$way, and the head becomes $is in the middle",
  async ({ listed, isEmptied, is }) => {
    const running = newTestEntrance();
    const { context, entrance, host } = running;
    const node = running.node();
    const change = async (name: string, version: number) => {
      await entrance.observe([observed(seenIngress("shop", name, [`${name}.example`], "web"), version)]);
      await host.settled();
    };
    await change("one", 1);
    node.reachable = false;
    await change("two", 2);
    Object.assign(node, isEmptied ? newModelNode() : { reachable: true });
    const sent = node.accepted.length;
    const put = async (what: object) => {
      const head = readHead(await context.store.get(headKey("openresty")));
      await context.store.commit([], [{ key: headKey("openresty"), value: JSON.stringify({ ...head, ...what }) }]);
    };
    const store = pausedStore(context.store, "another", async ({ phase, keys }) => {
      const isListed = keys.some((key) => !("sort" in key) && key.partition === listed);
      if (isListed && phase === "before") await put(is);
    });
    await new Pusher({ ...context, store }).push(["openresty"]);
    expect(node.accepted.slice(sent)).toEqual([]);
    await put({ complete: true, closed: undefined });
    await new Pusher(context).push(["openresty"]);
    expect(node.state.digest).toBe(readHead(await context.store.get(headKey("openresty")))?.digest);
  },
);
