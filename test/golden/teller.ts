/** Plays a story: through the doors as an apiserver would, to a real node, with real requests from outside. */

import { readConfig, translationSettings } from "../../functions/config.ts";
import type { Status } from "../../functions/status.ts";
import { Cluster, type Outcome } from "../../infra/local/cluster.ts";
import { ClusterStore } from "../../infra/local/cluster-store.ts";
import { type Backend, startBackend } from "../harness/backend.ts";
import { newTestDoors, type TestDoors } from "../harness/doors.ts";
import { startNode, type TestNode } from "../harness/node.ts";
import { recordedPlugin, type Sent } from "../harness/recorded-node.ts";
import { sealKey } from "../harness/secrets.ts";
import { webhooksOf } from "../harness/webhooks.ts";
import { ask } from "./ask.ts";
import { balancer, difference, resourcesAtHead } from "./at-head.ts";
import { shownSecrets, withCertificate } from "./made-secret.ts";
import { backendPort, type Request, type Step, type Story } from "./story.ts";

/** What came of a step: the golden file's parts. */
interface Told {
  readonly title: string;
  readonly verdicts: readonly string[];
  /** What the status says of objects that are not served as they ask. */
  readonly refused: Readonly<Record<string, readonly string[]>>;
  /** What the balancer should have, where it differs from the step before; null: gone. */
  readonly resources: unknown;
  /** What the node was sent. */
  readonly sent: readonly Sent[];
  /** What the node has and cannot serve. */
  readonly rejected: Readonly<Record<string, string>>;
  readonly answers: Readonly<Record<string, readonly object[]>>;
}

export interface Teller {
  readonly tell: (step: Step) => Promise<Told>;
  readonly end: () => Promise<void>;
}

/** `pass` moves the clock that all times of objects come from: each write has one of its own. */
export async function newTeller(story: Story, pass: () => void): Promise<Teller> {
  const backends: Backend[] = [];
  let node: TestNode | undefined;
  const end = async () => {
    await Promise.all([...backends.map((backend) => backend.close()), node?.stop()]);
  };
  try {
    // In one order everywhere, so that two runs at once on one machine wait for each other and not for ever.
    for (const [name, address] of Object.entries(story.backends).sort(byAddress)) {
      backends.push(await startWhenFree(name, address));
    }
    node = await startNode();
    const tell = tellerOf(story, node, pass);
    return { tell, end };
  } catch (error) {
    await end();
    throw error;
  }
}

function tellerOf(story: Story, node: TestNode, pass: () => void): (step: Step) => Promise<Told> {
  const { plugin, sent } = recordedPlugin(node.key);
  const nodes = [`http://127.0.0.1:${node.ports.admin}`];
  const settings = { ENTRANCE_SEAL_KEY: sealKey, ...story.settings };
  const doors = newTestDoors(settings, {
    translation: translationSettings(readConfig(settings)),
    balancers: [{ name: balancer, classes: ["entrance"], plugin, nodes, addresses: [] }],
    now: () => Date.now(),
  });
  const store = new ClusterStore(":memory:");
  const asked = new Cluster(store, webhooksOf(doors, true));
  const unasked = new Cluster(store, webhooksOf(doors, false));
  let before: Record<string, unknown> = {};

  return async (step) => {
    const cluster = step.reviewed ? asked : unasked;
    const outcomes: Outcome[] = [];
    for (const object of step.delete) {
      pass();
      outcomes.push(...(await cluster.delete(object)));
    }
    for (const object of step.apply) {
      pass();
      outcomes.push(await cluster.apply(withCertificate(object)));
    }
    const state = await node.state();
    const after = await resourcesAtHead(doors, state);
    const resources = shownSecrets(difference(before, after));
    before = after;
    const answers: Record<string, object[]> = {};
    for (const request of step.requests) answers[nameOf(request)] = await ask(node, request);
    return {
      title: step.title,
      verdicts: outcomes.map(verdictOf),
      refused: await refusedBy(doors),
      resources,
      sent: sent.splice(0),
      rejected: Object.fromEntries(state.rejected.map(({ key, reason }) => [key, reason]).sort()),
      answers,
    };
  };
}

/** `PUT www.example/ (accept: text/html)` */
function nameOf({ url, method, headers, as }: Request): string {
  if (as !== undefined) return `${url} as ${as}`;
  const said = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [...(method === undefined ? [] : [method]), url, ...(said.length === 0 ? [] : [`(${said.join(", ")})`])].join(
    " ",
  );
}

async function refusedBy(doors: TestDoors): Promise<Record<string, readonly string[]>> {
  const status = (await (await doors.app.request("/status")).json()) as Status;
  return Object.fromEntries(status.refused.map(({ object, reasons }) => [object, reasons]));
}

function verdictOf({ object, result, message, warnings }: Outcome): string {
  const parts = [`${object} ${result}`, ...(message === undefined ? [] : [message])];
  return [parts.join(": "), ...warnings.map((warning) => `warning: ${warning}`)].join("; ");
}

function byAddress([, a]: readonly [string, string], [, b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}

/** Another run on this machine may use the addresses for a moment. */
async function startWhenFree(name: string, address: string): Promise<Backend> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await startBackend(name, backendPort, address);
    } catch (error) {
      const isInUse = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
      if (!isInUse || attempt > 300) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
