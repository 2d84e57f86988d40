/** Which member gets a request, as a Service asks for it. */
import { type Affinity, affinitySchema, type Hash, hashSchema } from "../../model/balance.ts";
import { type Parsed, parseWith } from "../../model/parse.ts";
import type { Pool } from "../../model/pool.ts";
import type { SeenService } from "../../model/seen/service.ts";
import type { Annotations } from "../wish/annotations.ts";

export type Balance = Pick<Pool, "balance" | "hash">;

const form = "round-robin, least-connections, hash:source, hash:header:NAME or hash:cookie:NAME";

/** `balance`; without it `spec.sessionAffinity: ClientIP` says by the client's address, as it does in the cluster. */
export function balanceOf(annotations: Annotations, service: SeenService): Balance {
  const byService: Balance =
    service.sessionAffinity === "ClientIP" ? { balance: "hash", hash: { by: "source" } } : { balance: "round-robin" };
  return annotations.read("balance", form, balanceIn) ?? byService;
}

function balanceIn(text: string): Parsed<Balance> {
  if (text === "round-robin" || text === "least-connections") return { ok: true, value: { balance: text } };
  const hash = text.startsWith("hash:") ? hashIn(text.slice("hash:".length)) : undefined;
  if (hash === undefined) return { ok: false, reason: "is no way to balance" };
  return { ok: true, value: { balance: "hash", hash } };
}

function hashIn(text: string): Hash | undefined {
  const colon = text.indexOf(":");
  const value = colon === -1 ? { by: text } : { by: text.slice(0, colon), name: text.slice(colon + 1) };
  const parsed = parseWith(hashSchema, value);
  return parsed.ok ? parsed.value : undefined;
}

/** What the node's cookie is called where nobody says. */
const usualCookie = "entrance";

/** `affinity: cookie`, `affinity-cookie`, `affinity-max-age`. */
export function affinityOf(annotations: Annotations): Affinity | undefined {
  const { cookie, maxAge } = affinitySchema.entries;
  annotations.needs("affinity-max-age", "affinity", "affinity-cookie");
  const isAsked = annotations.read("affinity", "cookie", (text) =>
    text === "cookie" ? { ok: true, value: true } : { ok: false, reason: "is no affinity" },
  );
  const name = annotations.readAs("affinity-cookie", "a cookie's name", cookie, (text) => text);
  const age = annotations.readAs("affinity-max-age", "a duration such as 24h, at most a year", maxAge, (text) => text);
  if (name === undefined && isAsked === undefined) return undefined;
  return { cookie: name ?? usualCookie, ...(age && { maxAge: age }) };
}
