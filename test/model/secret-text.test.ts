import { inspect } from "node:util";
import { expect, test } from "vitest";
import { parseResource } from "../../shared/model/resource.ts";
import { SecretText } from "../../shared/model/secret-text.ts";

const key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
const chain = "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n";

test("a private key shows itself in no way but the one that says so", () => {
  const certificate = { chain, key, names: ["a.example"], notAfter: "2036-11-19T10:21:40Z" };
  const parsed = parseResource("Certificate/shop/shop-tls", certificate);
  expect(parsed.ok).toBe(true);
  for (const text of [
    JSON.stringify(parsed),
    inspect(parsed, { depth: null, showHidden: true }),
    String(new SecretText(key)),
  ]) {
    expect(text).not.toContain("c2VjcmV0");
  }
  expect(new SecretText(key).reveal()).toBe(key);
});

test("what is no key is not quoted", () => {
  const parsed = parseResource("Certificate/a/b", {
    chain,
    key: "hunter2",
    names: [],
    notAfter: "2036-11-19T10:21:40Z",
  });
  expect(parsed).toEqual({ ok: false, reason: "key: must be a PEM private key" });
});
