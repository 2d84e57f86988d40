/** Routes to measure with: a host, its rule, its pool, and the pool's one member, by number. */
import type { Change, TestNode } from "../harness/node.ts";

export function hostOf(number: number): string {
  return `h${number}.example`;
}

export function poolOf(number: number): Change {
  return { key: `Pool/bench/s${number}/80`, value: { protocol: "http", balance: "round-robin", alias: "" } };
}

export function membersOf(number: number, port: number): Change {
  const member = { address: "127.0.0.1", port, weight: 1, state: "active", ready: true };
  return { key: `Node/bench/s${number}/80/a`, value: { members: [member] } };
}

export function ruleOf(number: number, pool = number, tenant = "bench"): Change {
  const domain = hostOf(number);
  const owner = { kind: "Ingress", namespace: "bench", name: `i${number}`, created: "2026-11-22T10:00:00Z" };
  const matches = { path: { type: "prefix", value: "/" } };
  const pools = [{ pool: `Pool/bench/s${pool}/80`, weight: 1 }];
  const value = { domain, scheme: "httpandhttps", owner, tenant, listeners: [], matches, filters: [], pools };
  return { key: `Rule/${domain}/Ingress/bench/i${number}/0`, value };
}

/** Sends a node so many routes, as one snapshot. */
export async function fill(node: TestNode, routes: number, port: number): Promise<void> {
  for (let number = 0; number < routes; number += 1) {
    for (const { key, value } of [poolOf(number), membersOf(number, port), ruleOf(number)]) node.sender.set(key, value);
  }
  node.sender.revision += 1;
  const answer = await node.put(node.sender.snapshot());
  if (answer.status !== 200) throw new Error(`the node refused its routes: ${answer.text}`);
}
