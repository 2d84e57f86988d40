/**
 * Secret v1: a certificate with its key (`kubernetes.io/tls`), one user (`kubernetes.io/basic-auth`), or users in a key
 * `auth`, as ingress-nginx has them; and authorities in a key `ca.crt`, of these or of an Opaque one. Any other Secret is
 * none of ours, and nothing of it is kept.
 */
import * as v from "valibot";
import { type Parsed, parseWith, told } from "../model/parse.ts";
import { SecretText } from "../model/secret-text.ts";
import type { SentSecret } from "../model/sent-secret.ts";
import { parseAuthorities } from "./authorities.ts";
import { decodeBase64 } from "./base64.ts";
import { parseUser, parseUsers, type Users } from "./htpasswd.ts";
import { metadataSchema, seenMetadata } from "./metadata.ts";

/** A chain of ten RSA certificates is about 20 KB, one with hundreds of names 100 KB; a key of 4,096 bits 3 KB. */
const maxChainLength = 131_072;
const maxKeyLength = 16_384;
const maxAuthLength = 65_536;

const contentSchema = v.object(
  {
    type: v.nullish(v.string(told.text), "Opaque"),
    data: v.nullish(v.record(v.string(), v.unknown(), told.object), {}),
  },
  told.object,
);
const schema = v.object({ metadata: metadataSchema, ...contentSchema.entries }, told.object);

type Data = Readonly<Record<string, unknown>>;

/** Which of them it is, if any. What cannot be read is none of ours, and a service account's token has a `ca.crt`, too. */
function formOf(wire: unknown): "tls" | "user" | "users" | "authorities" | undefined {
  const parsed = v.safeParse(contentSchema, wire);
  if (!parsed.success) return undefined;
  if (parsed.output.type === "kubernetes.io/tls") return "tls";
  if (parsed.output.type === "kubernetes.io/basic-auth") return "user";
  if (Object.hasOwn(parsed.output.data, "auth")) return "users";
  const isOpaque = parsed.output.type === "" || parsed.output.type === "Opaque";
  return isOpaque && Object.hasOwn(parsed.output.data, "ca.crt") ? "authorities" : undefined;
}

export function isKeptSecret(wire: unknown): boolean {
  return formOf(wire) !== undefined;
}

/**
 * A certificate that cannot be read is a reason to refuse the Secret. Users are not: many a Secret of that form has
 * nothing to do with us.
 */
export function trimSecret(wire: unknown): Parsed<SentSecret> {
  const parsed = parseWith(schema, wire);
  if (!parsed.ok) return parsed;
  const { metadata, data } = parsed.value;
  const content = contentOf(wire, data);
  if (!content.ok) return content;
  const { problems = [], ...found } = content.value;
  const { problems: more = [], ...authorities } = formOf(wire) === undefined ? {} : authoritiesOf(data);
  const value = { kind: "SentSecret", ...seenMetadata(metadata), ...found, ...authorities } as const;
  return { ok: true, value: { ...value, problems: [...problems, ...more] } };
}

function contentOf(wire: unknown, data: Data): Parsed<Partial<SentSecret>> {
  switch (formOf(wire)) {
    case "tls":
      return certificateOf(data);
    case "user": {
      const [name, password] = [read(data, "username", maxAuthLength), read(data, "password", maxAuthLength)];
      if (!name.ok || !password.ok)
        return { ok: true, value: usersOf({ users: [], faults: faultsOf(name, password) }) };
      return { ok: true, value: usersOf(parseUser(name.value, password.value)) };
    }
    case "users": {
      const lines = read(data, "auth", maxAuthLength);
      return { ok: true, value: usersOf(lines.ok ? parseUsers(lines.value) : { users: [], faults: faultsOf(lines) }) };
    }
    case "authorities":
    case undefined:
      return { ok: true, value: {} };
  }
}

/** Nobody may ever use them, so a fault is only told. */
function authoritiesOf(data: Data): Partial<SentSecret> {
  if (isEmpty(data["ca.crt"])) return {};
  const text = read(data, "ca.crt", maxChainLength);
  const found = text.ok ? parseAuthorities(text.value) : text;
  if (found.ok) return { authorities: found.value };
  const sentence = found.reason.startsWith("data.") ? found.reason : `data.ca.crt: ${found.reason}`;
  return { problems: [{ sentence, deny: false }] };
}

/** Whoever asks for a certificate may make an empty Secret first and fill it later. */
function certificateOf(data: Data): Parsed<Partial<SentSecret>> {
  if (isEmpty(data["tls.crt"]) || isEmpty(data["tls.key"])) {
    const sentence = "tls.crt and tls.key are not both there yet: it is no certificate until they are";
    return { ok: true, value: { problems: [{ sentence, deny: false }] } };
  }
  const chain = read(data, "tls.crt", maxChainLength);
  if (!chain.ok) return chain;
  const key = read(data, "tls.key", maxKeyLength);
  if (!key.ok) return key;
  return { ok: true, value: { certificate: { chain: chain.value, key: new SecretText(key.value) } } };
}

function usersOf({ users, faults }: Users): Partial<SentSecret> {
  return { users, problems: faults.map((sentence) => ({ sentence, deny: false })) };
}

/** Never tells what stands there. */
function read(data: Data, name: string, maxLength: number): Parsed<string> {
  const refuse = (reason: string) => ({ ok: false, reason: `data.${name}: ${reason}` }) as const;
  const value = data[name];
  if (typeof value !== "string") return refuse(value === undefined ? "is missing" : "must be a text in base64");
  if (value.length > (maxLength * 4) / 3) return refuse(`must have at most ${maxLength} bytes`);
  const text = decodeBase64(value);
  return text === undefined ? refuse("must be base64 of a text in UTF-8") : { ok: true, value: text };
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === "";
}

function faultsOf(...read: readonly Parsed<string>[]): string[] {
  return read.flatMap((each) => (each.ok ? [] : [each.reason]));
}
