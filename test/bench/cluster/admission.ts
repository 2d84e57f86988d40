/** How long the door takes for a review, as the apiserver sends it: by TLS on a kept connection, to each copy in turn. */
import { Agent, request } from "undici";
import type { KubeObject } from "../../cluster/api.ts";
import { webhookToken } from "../../cluster/installed.ts";
import { quantile, rounded } from "../statistics.ts";
import { route, type Site } from "./site.ts";

const reviews = 1_000;
/** A process that has just started compiles what it runs. */
const warmUp = 600;

export interface Admission {
  readonly p99Ms: number;
  readonly medianMs: number;
  readonly timed: readonly TimedReview[];
}

/** Ns of the machine's clock. */
export interface TimedReview {
  readonly begun: bigint;
  readonly answered: bigint;
}

/**
 * Updates of these Ingresses, which are there, one after another: each is translated, leaves a hint and is read back. They
 * are the same however many others there are.
 */
export async function benchAdmission(
  site: Site,
  names: readonly string[],
  say: (line: string) => void,
): Promise<Admission> {
  const found = await Promise.all(names.map((name) => site.api.get(route(name))));
  const items = found.filter((each) => each !== undefined);
  say(`${reviews} reviews`);
  const addresses = await site.installed.addresses();
  const agent = new Agent({ connect: { rejectUnauthorized: false } });
  const timed: TimedReview[] = [];
  for (let turn = 0; turn < reviews + warmUp; turn += 1) {
    const object = items[turn % items.length];
    if (object === undefined) throw new Error("there are no Ingresses");
    const url = `https://${addresses[turn % addresses.length]}:8443/admission/${webhookToken}?timeout=3s`;
    const body = JSON.stringify(reviewOf(object, turn));
    const begun = process.hrtime.bigint();
    const answer = await request(url, { method: "POST", body, dispatcher: agent });
    const { response } = (await answer.body.json()) as { response: { allowed: boolean } };
    if (!response.allowed) throw new Error("a review of what there is was refused");
    if (turn >= warmUp) timed.push({ begun, answered: process.hrtime.bigint() });
  }
  await agent.close();
  const times = timed.map(({ begun, answered }) => Number(answered - begun) / 1e6);
  return { timed, p99Ms: rounded(quantile(times, 0.99), 2), medianMs: rounded(quantile(times, 0.5), 2) };
}

function reviewOf(object: KubeObject, turn: number): unknown {
  const kind = { group: "networking.k8s.io", version: "v1", kind: "Ingress" };
  const { name, namespace } = object.metadata;
  const whole = { apiVersion: "networking.k8s.io/v1", kind: "Ingress", ...object };
  return {
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    request: {
      uid: crypto.randomUUID(),
      kind,
      resource: { group: kind.group, version: "v1", resource: "ingresses" },
      requestKind: kind,
      name,
      namespace,
      operation: "UPDATE",
      userInfo: { username: "bench" },
      object: { ...whole, metadata: { ...whole.metadata, labels: { turn: String(turn) } } },
      oldObject: whole,
      dryRun: false,
      options: { kind: "UpdateOptions", apiVersion: "meta.k8s.io/v1" },
    },
  };
}
