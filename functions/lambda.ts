/**
 * The entry for AWS Lambda (infra/aws/entrance.yaml). Requests come from a function URL, API Gateway or a load balancer;
 * the schedule's event ticks for a minute; and what a request leaves to be done after its answer is an event that the
 * function sends to itself. Whatever is killed in the middle is found by the next tick, as anywhere else.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { handle, type LambdaContext, type LambdaEvent } from "hono/aws-lambda";
import * as v from "valibot";
import { defaultTiming } from "../shared/reconcile/settings.ts";
import { openDynamoDB } from "../shared/store/dynamodb.ts";
import { assemble } from "./assemble.ts";
import { readConfig } from "./config.ts";
import { openKubeAccess } from "./kube-files.ts";
import { LambdaHost } from "./lambda-host.ts";
import { trustNodeAuthorities } from "./node-authorities.ts";
import { fetchOf } from "./node-fetch.ts";
import { failSetting } from "./setting.ts";

/** With less time left no other tick begins, and a turn comes to its end; of a short time a quarter. */
const reserveMs = 10_000;
/** For the event to itself: the caller is waiting. */
const invokeMs = 1_500;

const Schedule = v.object({ source: v.literal("aws.events") });
const Errand = v.variant("entrance", [
  v.object({
    entrance: v.literal("turn"),
    lock: v.object({ fence: v.number(), version: v.string(), writtenAt: v.number() }),
  }),
  v.object({ entrance: v.literal("tick") }),
]);
type Errand = v.InferOutput<typeof Errand>;

// Anybody can reach it: a token is needed, whatever else is set.
const config = readConfig({ ...process.env, ENTRANCE_LISTEN: "0.0.0.0:443" });
if (config.store.type !== "dynamodb") failSetting("ENTRANCE_STORE", "must be dynamodb on Lambda");
// AWS's client finds credentials by itself.
const store = openDynamoDB({ ...config.store, credentials: undefined });
trustNodeAuthorities(config.nodeAuthorities);
const host = new LambdaHost();
const access = config.kubernetes === undefined ? undefined : openKubeAccess(config.kubernetes);
const { app, entrance, tick, findNodes } = assemble(config, store, host, {
  access,
  fetchOf: (balancer) => fetchOf(balancer, () => undefined, undefined),
});
const answer = handle(app);
const lambda = new LambdaClient({ maxAttempts: 2 });

export async function handler(event: unknown, context: LambdaContext): Promise<unknown> {
  const leftMs = context.getRemainingTimeInMillis();
  host.endsAt(Date.now() + leftMs - Math.min(reserveMs, leftMs / 4));
  if (v.is(Schedule, event)) return tickAWhile(context);
  if (v.is(Errand, event)) return run(event, context);
  const { answer: answered, left } = await host.answering(() => answer(event as LambdaEvent, context));
  for (const lock of left.locks) await sendToItself({ entrance: "turn", lock }, context);
  if (left.wantsTick) await sendToItself({ entrance: "tick" }, context);
  return answered;
}

async function run(errand: Errand, context: LambdaContext): Promise<void> {
  // This sandbox may be new, and know of no node.
  await (errand.entrance === "turn" ? Promise.all([entrance.resume(errand.lock), findNodes()]) : tick());
  await host.settled();
  // A turn that ran out of time has freed the lock.
  if (host.isOutOfTime() && host.takeWake() <= Date.now()) await sendToItself({ entrance: "tick" }, context);
}

/** As often as the timer elsewhere, until the next event of the schedule is near. */
async function tickAWhile(context: LambdaContext): Promise<void> {
  for (;;) {
    host.after(async () => {
      await tick().catch((error: unknown) => console.warn(`entrance: the timer's work failed: ${messageOf(error)}`));
    });
    await settledWithin(defaultTiming.timerMs);
    const pauseMs = Math.min(Math.max(0, host.takeWake() - Date.now()), defaultTiming.timerMs);
    if (context.getRemainingTimeInMillis() < pauseMs + reserveMs) break;
    await sleep(pauseMs);
  }
  await host.settled();
}

/** A long LIST, and an API that is away, hold up no other tick. */
async function settledWithin(ms: number): Promise<void> {
  const over = new AbortController();
  const waited = sleep(ms, undefined, { signal: over.signal }).catch(() => undefined);
  await Promise.race([host.settled(), waited]);
  over.abort();
}

/** Where that fails it is done here, and the answer waits for it; if there is time, else the schedule finds it. */
async function sendToItself(errand: Errand, context: LambdaContext): Promise<void> {
  const command = new InvokeCommand({
    FunctionName: context.invokedFunctionArn,
    InvocationType: "Event",
    Payload: JSON.stringify(errand),
  });
  try {
    await lambda.send(command, { abortSignal: AbortSignal.timeout(invokeMs) });
  } catch (error) {
    console.warn(`entrance: the function cannot invoke itself: ${messageOf(error)}`);
    if (host.isOutOfTime()) return;
    await run(errand, context).catch((fault: unknown) => console.warn(`entrance: ${messageOf(fault)}`));
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
