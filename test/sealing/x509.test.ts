/** Chains and keys as openssl makes them, and as people mix them up. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { inspect } from "../../shared/sealing/x509.ts";
import { makeCertificate, type Pair } from "../harness/certificate.ts";

const ec = makeCertificate(["Shop.Example", "*.shop.example"]);
const rsa = makeCertificate(["shop.example"], { key: "rsa:2048" });
const other = makeCertificate(["other.example"]);

function openssl(args: readonly string[], input: string): string {
  return execFileSync("openssl", args, { input, encoding: "utf8", stdio: ["pipe", "pipe", "ignore"] });
}

function found({ chain, key }: Pair) {
  const inspection = inspect(chain, key);
  if (!inspection.ok) throw new Error(inspection.sentence);
  return inspection;
}

/** With the key of `ec`. */
function selfSigned(subject: string, ...more: readonly string[]): string {
  const directory = mkdtempSync(join(tmpdir(), "entrance-x509-"));
  try {
    const file = join(directory, "key.pem");
    writeFileSync(file, ec.key);
    return openssl(["req", "-x509", "-key", file, "-subj", subject, "-days", "1", ...more], "");
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe("a pair that belongs together", () => {
  test("says its names and times", () => {
    const { certificate, key } = found(ec);
    expect(certificate.names).toEqual(["shop.example", "*.shop.example"]);
    expect(Date.parse(certificate.notAfter) - Date.parse(certificate.notBefore)).toBe(24 * 3_600_000);
    expect(certificate.notAfter).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/);
    expect(certificate.chain).toBe(ec.chain);
    expect(key).toBe(ec.key);
  });

  test.each(["rsa:2048", "ec:P-256", "ec:P-384"] as const)("of a key %s", (kind) => {
    expect(found(makeCertificate(["a.example"], { key: kind })).certificate.names).toEqual(["a.example"]);
  });

  test("with a key in the older forms, behind a curve's parameters, with CRLF and with words around", () => {
    const sec1 = openssl(["ec"], ec.key);
    const pkcs1 = openssl(["rsa", "-traditional"], rsa.key);
    const parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    expect(found({ ...ec, key: parameters + sec1 }).key).toBe(sec1);
    expect(found({ ...rsa, key: pkcs1 }).key).toBe(pkcs1);
    expect(found({ chain: ec.chain.replaceAll("\n", "\r\n"), key: ec.key.replaceAll("\n", "\r\n") }).key).toBe(ec.key);
    const chatty = `subject=CN = shop.example\n${ec.chain}\nBag Attributes\n${other.chain}`;
    expect(found({ ...ec, chain: chatty }).certificate.chain).toBe(ec.chain + other.chain);
  });

  test("names come from the common name only where there are no others; what is no host is none", () => {
    const plain = selfSigned("/O=Shop/CN=cn.example");
    expect(found({ chain: plain, key: ec.key }).certificate.names).toEqual(["cn.example"]);
    const authority = selfSigned("/CN=Our Own CA");
    expect(found({ chain: authority, key: ec.key }).certificate.names).toEqual([]);
    const alternatives = "subjectAltName=IP:10.0.0.1,email:a@b.example,DNS:a.example,DNS:*,URI:https://DNS:x/";
    const mixed = selfSigned("/CN=cn.example", "-addext", alternatives);
    expect(found({ chain: mixed, key: ec.key }).certificate.names).toEqual(["a.example"]);
  });
});

describe("is refused with a sentence", () => {
  const encrypted = openssl(["pkcs8", "-topk8", "-passout", "pass:secret"], ec.key);
  const encryptedOld = openssl(["rsa", "-traditional", "-aes256", "-passout", "pass:secret"], rsa.key);
  const damaged = ec.chain.replace(/\n.{8}/, "\nAAAAAAAA");
  const damagedKey = ec.key.replace(/\n.{8}/, "\nAAAAAAAA");
  const cases: readonly [string, Pair, RegExp][] = [
    ["the key of another certificate", { ...ec, key: other.key }, /tls\.key is not the key of the first certificate/],
    ["a key of another kind", { ...ec, key: rsa.key }, /tls\.key is not the key of the first certificate/],
    ["a chain in the wrong order", { ...ec, chain: other.chain + ec.chain }, /tls\.crt is in the wrong order/],
    ["an encrypted key", { ...ec, key: encrypted }, /tls\.key is encrypted: decrypt it first/],
    ["an encrypted key in the older form", { ...rsa, key: encryptedOld }, /tls\.key is encrypted: decrypt it first/],
    ["no certificate", { ...ec, chain: "hello" }, /tls\.crt has no certificate in PEM/],
    ["a key in the place of the certificate", { ...ec, chain: ec.key }, /tls\.crt has no certificate in PEM/],
    ["a certificate in the place of the key", { ...ec, key: ec.chain }, /tls\.key has no private key in PEM/],
    ["two keys", { ...ec, key: ec.key + other.key }, /tls\.key has more than one private key/],
    ["a damaged certificate", { ...ec, chain: damaged }, /tls\.crt cannot be read: certificate 1 of 1 is damaged/],
    ["a damaged one behind it", { ...ec, chain: ec.chain + damaged }, /certificate 2 of 2 is damaged/],
    ["a damaged key", { ...ec, key: damagedKey }, /tls\.key cannot be read/],
    ["a bundle", { ...ec, chain: ec.chain.repeat(17) }, /tls\.crt has more than 16 certificates/],
  ];
  test.each(cases)("%s", (_, { chain, key }, sentence) => {
    const inspection = inspect(chain, key);
    expect(inspection).toMatchObject({ ok: false, deny: true, sentence: expect.stringMatching(sentence) });
    const text = JSON.stringify(inspection);
    for (const line of key.split("\n").filter((each) => /^[A-Za-z0-9+/=]{16,}$/.test(each))) {
      expect(text).not.toContain(line);
    }
  });
});

test.each(["rsa:1024", "ed25519"] as const)("a key %s serves no browser, and may serve somebody else", (kind) => {
  const { chain, key } = makeCertificate(["a.example"], { key: kind });
  expect(inspect(chain, key)).toMatchObject({ ok: false, deny: false, sentence: expect.stringMatching(/browser/) });
});
