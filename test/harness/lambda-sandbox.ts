/** One sandbox of test/harness/lambda.ts: `node lambda-sandbox.ts BUNDLE.mjs`; events come and answers go by IPC. */
import { pathToFileURL } from "node:url";

export interface Invocation {
  readonly event: unknown;
  readonly arn: string;
  readonly timeoutMs: number;
}

export type Outcome = { readonly ready: true } | { readonly result: unknown } | { readonly fault: string };

type Handler = (event: unknown, context: unknown) => Promise<unknown>;

const send = (outcome: Outcome) => process.send?.(outcome);
const bundle = pathToFileURL(process.argv[2] ?? "").href;
const { handler } = (await import(bundle)) as { handler: Handler };

process.on("message", async ({ event, arn, timeoutMs }: Invocation) => {
  const end = Date.now() + timeoutMs;
  const context = { invokedFunctionArn: arn, getRemainingTimeInMillis: () => end - Date.now() };
  try {
    send({ result: await handler(event, context) });
  } catch (error) {
    send({ fault: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
send({ ready: true });
