/** The routes, who may call them, and the one table from error codes to HTTP statuses. */
import { type Context, Hono } from "hono";
import { EntranceError, type ErrorCode } from "../shared/model/error.ts";
import type { SecretText } from "../shared/model/secret-text.ts";
import { admission } from "./admission.ts";
import { audit } from "./audit.ts";
import { drain } from "./body.ts";
import type { Door } from "./door.ts";
import { healthz } from "./health.ts";
import { metrics } from "./metrics.ts";
import { page } from "./page.ts";
import { Readiness } from "./readiness.ts";
import { resync } from "./resync.ts";
import { status } from "./status.ts";
import { storeDoor } from "./store-door.ts";
import { bearerToken, isOneOf } from "./token.ts";

const statuses = {
  invalid: 400,
  unauthenticated: 401,
  "not-found": 404,
  "method-not-allowed": 405,
  "too-large": 413,
  busy: 503,
  uncertain: 503,
  unavailable: 503,
  misconfigured: 503,
  forbidden: 503,
  internal: 500,
} as const satisfies Record<ErrorCode, number>;

type Handler = (door: Door, context: Context) => Response | Promise<Response>;

/** They come with a token wherever one is set, or a certificate. That token stands where many may read it. */
const webhooks: Readonly<Record<string, Handler>> = {
  "/admission": admission,
  "/admission/:token": admission,
  "/audit": audit,
};

/** So do operators, with one of their own where there is one. */
const orders: Readonly<Record<string, Handler>> = { "/resync": resync, "/store": storeDoor };

/** They name every tenant's hosts: an operator's token is needed unless the listener is on loopback. */
const views: Readonly<Record<string, Handler>> = { "/status": status, "/metrics": metrics, "/": page };

/** A webhook has a body of some megabytes; what comes beyond so many at once is told to come again. */
const maxWebhooksAtOnce = 256;
/** And beyond so much of their bodies, each of which takes several times as much while it is worked on. */
const maxBytesAtOnce = 32 * 1024 * 1024;
/** A body that comes in chunks may become as long as any that is read. */
const longestBytes = 16 * 1024 * 1024;
/** Of one that does not say anything, which only comes without a wire. */
const usualBytes = 64 * 1024;

export function createApp(door: Door): Hono {
  const app = new Hono();
  const readiness = new Readiness(door);
  let webhooksNow = 0;
  let bytesNow = 0;
  const posts = [
    ...Object.entries(webhooks).map(([path, handler]) => ({ path, handler, admit: admitWebhook })),
    ...Object.entries(orders).map(([path, handler]) => ({ path, handler, admit: admitOrder })),
  ];
  for (const { path, handler, admit } of posts) {
    app.post(path, async (context) => {
      refuseWebPages(context);
      admit(door, context);
      const bytes = bytesOf(context);
      // One alone is let through: its own limit is told where it is read.
      const isTooMuch = webhooksNow > 0 && bytesNow + bytes > maxBytesAtOnce;
      if (isTooMuch || webhooksNow >= maxWebhooksAtOnce) {
        door.counters.add("entrance_turned_away_total");
        throw new EntranceError("busy", "too much at once: try again");
      }
      webhooksNow += 1;
      bytesNow += bytes;
      try {
        return await handler(door, context);
      } finally {
        webhooksNow -= 1;
        bytesNow -= bytes;
      }
    });
    app.all(path, () => notAllowed("POST"));
  }
  for (const [path, handler] of Object.entries(views)) {
    app.get(path, async (context) => {
      if (!door.config.listen.loopback) authenticate(door, context, door.config.operatorTokens);
      // Elsewhere the timer does that.
      if (door.entrance.context.host.standsStill) await door.entrance.pusher.repair(false);
      return handler(door, context);
    });
    app.all(path, () => notAllowed("GET"));
  }
  app.get("/healthz", (context) => healthz(context));
  app.get("/readyz", (context) => readiness.answer(context));
  for (const path of ["/healthz", "/readyz"]) app.all(path, () => notAllowed("GET"));
  app.notFound(() => {
    throw new EntranceError("not-found", "there is nothing at this path");
  });
  app.onError(async (error, context) => {
    // Where nobody has read it, workerd cuts the connection with the answer.
    if (!context.req.raw.bodyUsed) await drain(context.req.raw);
    if (error instanceof EntranceError && error.code !== "internal") return problem(context, error);
    door.entrance.context.warn(`${context.req.method} ${context.req.routePath}: ${error.message}`);
    return problem(context, new EntranceError("internal", "a fault of Entrance; its log says more"));
  });
  return app;
}

/** One that a browser on this machine shows may send something to loopback, where no token need be set. */
function refuseWebPages({ req }: Context): void {
  if (req.header("origin") === undefined) return;
  throw new EntranceError("invalid", "nothing is taken from pages of the web: a request may have no Origin header");
}

function bytesOf({ req }: Context): number {
  const length = req.header("content-length");
  if (length !== undefined) return Number(length) || usualBytes;
  return req.header("transfer-encoding") === undefined ? usualBytes : longestBytes;
}

function admitWebhook(door: Door, context: Context): void {
  const { webhookTokens } = door.config;
  if (door.isKnownCaller?.(context.env)) return;
  if (webhookTokens.length > 0 || door.isKnownCaller !== undefined) authenticate(door, context, webhookTokens);
}

function admitOrder(door: Door, context: Context): void {
  const { operatorTokens } = door.config;
  if (operatorTokens.length > 0) authenticate(door, context, operatorTokens);
}

/** In the header, or in the path for a cluster that cannot send one. */
function authenticate(door: Door, context: Context, tokens: readonly SecretText[]): void {
  const presented = bearerToken(context.req.header("authorization")) ?? context.req.param("token") ?? "";
  if (isOneOf(presented, tokens)) return;
  door.counters.add("entrance_unauthenticated_total");
  throw new EntranceError("unauthenticated", "a valid token is needed: Authorization: Bearer TOKEN");
}

function problem(context: Context, error: EntranceError): Response {
  const code = statuses[error.code];
  if (code === 401) context.header("www-authenticate", "Bearer");
  const retryAfter = error.retryAfterSeconds ?? (code === 503 ? 1 : undefined);
  if (retryAfter !== undefined) context.header("retry-after", String(retryAfter));
  return context.json({ error: error.code, message: error.message }, code);
}

function notAllowed(method: string): Response {
  const body = { error: "method-not-allowed", message: `only ${method} is answered here` };
  return Response.json(body, { status: 405, headers: { allow: method } });
}
