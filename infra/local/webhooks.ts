/** Calls Entrance's webhooks as a kube-apiserver would. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import * as v from "valibot";
import { Told } from "./told.ts";

const timeoutMs = 10_000;
/** A 503 asks to come back; an apiserver would, too, for about as long. */
const retryForMs = 10_000;
const retryMs = 300;

const ReviewAnswer = v.object({
  response: v.object({
    allowed: v.boolean(),
    status: v.optional(v.object({ message: v.optional(v.string()) })),
    warnings: v.optional(v.array(v.string()), []),
  }),
});

export interface Verdict {
  readonly allowed: boolean;
  readonly message: string;
  readonly warnings: readonly string[];
}

export interface Webhooks {
  readonly review: (body: object) => Promise<Verdict>;
  readonly audit: (body: object) => Promise<void>;
}

export function webhooks(url: string, token: string | undefined): Webhooks {
  const post = async (door: string, body: object): Promise<string> => {
    const giveUpAt = Date.now() + retryForMs;
    for (;;) {
      const response = await fetch(new URL(door, url), {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(timeoutMs),
      }).catch((error: Error) => {
        const cause = error.cause instanceof Error ? error.cause.message : error.message;
        throw new Told(`Entrance does not answer at ${url} (${cause}). Is \`npm start\` running?`);
      });
      const text = await response.text();
      if (response.ok) return text;
      if (response.status === 401) {
        throw new Told("Entrance wants a token: set ENTRANCE_WEBHOOK_TOKEN as where it was started.");
      }
      if (response.status !== 503 || Date.now() > giveUpAt) {
        throw new Told(`Entrance answered ${response.status} at ${door}: ${text.slice(0, 500)}`);
      }
      await sleep(retryMs);
    }
  };
  return {
    review: async (body) => {
      const text = await post("/admission?timeout=10s", body);
      const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), ReviewAnswer), text);
      if (!parsed.success) throw new Told(`Entrance answered no AdmissionReview: ${text.slice(0, 500)}`);
      const { allowed, status, warnings } = parsed.output.response;
      return { allowed, message: status?.message ?? "no reason given", warnings };
    },
    audit: async (body) => {
      await post("/audit?timeout=30s", body);
    },
  };
}

/** Trusts the certificate that this installation's Entrance serves with, whoever signed it. */
export function trustCertificate(file: string): void {
  setDefaultCACertificates([...getCACertificates("default"), readFileSync(file, "utf8")]);
}
