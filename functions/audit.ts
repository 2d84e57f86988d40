/** POST /audit: an EventList in, a count out. One event that cannot be used harms no other. */
import type { Context } from "hono";
import { EntranceError } from "../shared/model/error.ts";
import { decodeEventList } from "../shared/observe/audit-event.ts";
import { readJson } from "./body.ts";
import type { Door } from "./door.ts";

/** kube-apiserver sends batches of at most 10 MiB by default (--audit-webhook-truncate-max-batch-size). */
const maxBytes = 16 * 1024 * 1024;

export async function audit(door: Door, context: Context): Promise<Response> {
  const decoded = decodeEventList(await readJson(context.req.raw, maxBytes), { prefix: door.config.prefix });
  if (!decoded.ok) throw new EntranceError("invalid", decoded.reason);
  const noted = door.entrance.heard.note("audit");
  if (noted !== undefined) await noted;
  const counts = await door.entrance.observe(decoded.observations);
  if (decoded.unusable.length > 0) await door.entrance.refuse(decoded.unusable);
  return context.json({ ...counts, ignored: decoded.ignored, unusable: decoded.unusable.length });
}
