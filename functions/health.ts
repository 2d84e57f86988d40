/** GET /healthz. */
import type { Context } from "hono";

/** The process answers. */
export function healthz(context: Context): Response {
  return context.text("ok\n");
}
