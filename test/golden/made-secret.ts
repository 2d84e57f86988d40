/** Secrets of stories: their certificates are made when they are told, so that no key lies in the repository. */
import * as v from "valibot";
import { makeCertificate } from "../harness/certificate.ts";
import type { Step } from "./story.ts";

type StoryObject = Step["apply"][number];

const made = v.object({
  kind: v.literal("Secret"),
  certificate: v.strictObject({
    names: v.array(v.string()),
    key: v.optional(v.picklist(["rsa:2048", "ec:P-256"]), "ec:P-256"),
    /** A key that is another certificate's. */
    wrongKey: v.optional(v.boolean(), false),
  }),
});

/** Golden files show when it ends. */
const until = "20360101000000Z";

/** `certificate` becomes what an apiserver would be sent. */
export function withCertificate(object: StoryObject): StoryObject {
  const parsed = v.safeParse(made, object);
  if (!parsed.success) return object;
  const { names, key, wrongKey } = parsed.output.certificate;
  const pair = makeCertificate(names, { key, until });
  const stringData = {
    "tls.crt": pair.chain,
    "tls.key": wrongKey ? makeCertificate(names, { key, until }).key : pair.key,
  };
  const { certificate: _, ...rest } = object;
  return { ...rest, type: "kubernetes.io/tls", stringData };
}

/** What differs each time, and what is secret, by words of their own. */
export function shownSecrets(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if ("sealed" in value) return "(sealed)";
  if (Array.isArray(value)) return value.map(shownSecrets);
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, name === "chain" ? "(a chain)" : shownSecrets(each)]),
  );
}
