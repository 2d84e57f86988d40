// Pools, members and ports as Entrance sends them, and waiting until the node has them.
import { expect, vi } from "vitest";
import type { Change, TestNode } from "../../harness/node.ts";

export interface At {
  readonly address?: string;
  readonly port: number;
  readonly weight?: number;
  readonly state?: "active" | "draining" | "disabled";
  readonly ready?: boolean;
}

type More = Readonly<Record<string, unknown>>;

export function connectionPool(name: string, more: More = {}): Change {
  return { key: `Pool/shop/${name}/1`, value: { protocol: "tcp", balance: "round-robin", alias: "", ...more } };
}

export function membersOf(name: string, members: readonly At[]): Change {
  const value = {
    members: members.map((member) => ({ address: "127.0.0.1", weight: 1, state: "active", ready: true, ...member })),
  };
  return { key: `Node/shop/${name}/1/a`, value };
}

export function service(protocol: "tcp" | "udp", port: number, name: string, more: More = {}): Change {
  const value = { port, protocol, addresses: [], pool: `Pool/shop/${name}/1`, enabled: true, ...more };
  return { key: `VirtualService/${protocol}/${port}`, value };
}

export function without(change: Change): Change {
  return { key: change.key, value: null };
}

/** A pool, its members and a port for it. */
export function listening(
  protocol: "tcp" | "udp",
  port: number,
  name: string,
  members: readonly At[],
  more: More = {},
): Change[] {
  return [connectionPool(name, { protocol, ...more }), membersOf(name, members), service(protocol, port, name)];
}

/** Waits until connections meet all that was sent. */
export async function settled(node: TestNode): Promise<void> {
  const look = async () => expect((await node.state()).l4Revision).toBe(node.sender.revision);
  await vi.waitFor(look, { timeout: 20_000, interval: 20 });
}

export async function applied(node: TestNode, changes: readonly Change[]): Promise<void> {
  expect(await node.apply(changes)).toEqual([]);
  await settled(node);
}

/** What the node says of one port. */
export async function stateOf(node: TestNode, key: string): Promise<{ state: string; reason?: string } | undefined> {
  const found = (await node.state()).listeners.find((it) => it.key === key);
  return found === undefined
    ? undefined
    : { state: found.state, ...(found.reason === undefined ? {} : { reason: found.reason }) };
}
