/** Which Secrets are kept for their authorities, and what of them. */
import { describe, expect, test } from "vitest";
import { isKeptSecret, trimSecret } from "../../shared/observe/secret.ts";

const pem = (label: string, body = "MIIBszCCAVmgAwIBAgIU") =>
  `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;
const one = pem("CERTIFICATE");
const secret = (ca: string, more: object = {}, type = "Opaque") => ({
  metadata: {
    name: "ca",
    namespace: "shop",
    uid: "u",
    resourceVersion: "1",
    creationTimestamp: "2026-11-22T10:00:00Z",
  },
  type,
  data: { "ca.crt": Buffer.from(ca).toString("base64"), ...more },
});

function found(wire: unknown) {
  const trimmed = trimSecret(wire);
  if (!trimmed.ok) throw new Error(trimmed.reason);
  return trimmed.value;
}

test.each<[string, unknown, boolean]>([
  ["an Opaque one", secret(one), true],
  ["one without a type", { ...secret(one), type: undefined }, true],
  ["of TLS", secret(one, {}, "kubernetes.io/tls"), true],
  ["a service account's token", secret(one, { token: "c2VjcmV0" }, "kubernetes.io/service-account-token"), false],
  ["one with something else", { ...secret(one), data: { password: "c2VjcmV0" } }, false],
])("%s", (_, wire, isKept) => {
  expect(isKeptSecret(wire)).toBe(isKept);
});

describe("what is kept", () => {
  test.each([
    ["one certificate", one, one],
    ["two, with words between them", `# ours\r\n${one}# theirs\n${one.replaceAll("\n", "\r\n")}`, one + one],
  ])("%s", (_, text, authorities) => {
    expect(found(secret(text, { password: "c2VjcmV0" }))).toEqual({
      kind: "SentSecret",
      namespace: "shop",
      name: "ca",
      created: "2026-11-22T10:00:00Z",
      authorities,
      problems: [],
    });
  });

  test.each<[string, unknown, RegExp]>([
    ["words", secret("mine"), /^data\.ca\.crt: must be certificates of authorities in PEM$/],
    ["an empty block", secret(pem("CERTIFICATE", "")), /in PEM$/],
    ["a private key beside it", secret(one + pem("PRIVATE KEY")), /a private key has no place in it$/],
    ["no base64", { ...secret(one), data: { "ca.crt": "%" } }, /^data\.ca\.crt: must be base64/],
    ["no text", { ...secret(one), data: { "ca.crt": 7 } }, /^data\.ca\.crt: must be a text/],
    ["far too many", secret(one.repeat(2_000)), /^data\.ca\.crt: must have at most/],
  ])("of %s nothing but why", (_, wire, reason) => {
    const { problems, ...kept } = found(wire);
    expect(problems).toEqual([{ sentence: expect.stringMatching(reason), deny: false }]);
    expect(kept).not.toHaveProperty("authorities");
  });

  test("of an empty one nothing: it may be filled later", () => {
    expect(found(secret(""))).toMatchObject({ problems: [] });
  });
});
