/**
 * A story, written by hand: objects are applied and deleted as an apiserver would tell it, and clients ask. Its golden
 * file is what came of it. Kubernetes objects are written in full; YAML's anchors, aliases and `<<` save repetition.
 */
import * as v from "valibot";
import { parse } from "yaml";

const object = v.looseObject({
  apiVersion: v.string(),
  kind: v.string(),
  metadata: v.looseObject({ name: v.string(), namespace: v.optional(v.string()) }),
});

export interface Request {
  readonly url: string;
  readonly method?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly as?: string;
}

/** HOST/PATH or https://HOST/PATH, or that with a method and headers. Each is sent several times, so that every worker and member has its turn. */
const request = v.union([
  v.pipe(
    v.string(),
    v.transform((url): Request => ({ url, headers: {} })),
  ),
  v.strictObject({
    url: v.string(),
    method: v.optional(v.string()),
    headers: v.record(v.string(), v.string()),
  }),
  /** Signed in as somebody, whose password no golden file shows. */
  v.pipe(
    v.strictObject({ url: v.string(), as: v.string(), password: v.string() }),
    v.transform(({ url, as, password }): Request => {
      const credentials = Buffer.from(`${as}:${password}`).toString("base64");
      return { url, as, headers: { authorization: `Basic ${credentials}` } };
    }),
  ),
]);

const step = v.strictObject({
  title: v.string(),
  /** False: the apiserver did not reach the admission webhook and let the write pass. */
  reviewed: v.optional(v.boolean(), true),
  apply: v.optional(v.array(object), []),
  delete: v.optional(v.array(object), []),
  requests: v.optional(v.array(request), []),
});

const story = v.strictObject({
  title: v.string(),
  /** Objects to be named by aliases further down. */
  objects: v.optional(v.unknown()),
  /** ENTRANCE_… as an operator would set them. */
  settings: v.optional(v.record(v.string(), v.string()), {}),
  /** Applications by name; each listens at this address, all at one port. */
  backends: v.record(v.string(), v.string()),
  steps: v.array(step),
});

export type Story = v.InferOutput<typeof story>;
export type Step = Story["steps"][number];

/** Where all backends of stories listen, so that golden files never vary. */
export const backendPort = 18_066;

export function parseStory(text: string): Story {
  return v.parse(story, parse(text, { merge: true }));
}
