/** Secrets at the door: what is refused, what is only warned of, and that nothing secret comes out anywhere. */
import { beforeAll, describe, expect, test } from "vitest";
import { makeCertificate, type Pair } from "../../harness/certificate.ts";
import { ingress, type Json, review, secret } from "../../observe/wire.ts";
import type { Caller } from "../caller.ts";

interface Verdict {
  readonly allowed: boolean;
  readonly status?: { readonly code: number; readonly message: string };
  readonly warnings?: readonly string[];
}

const password = "Correct-Horse-9-Battery";
const hash = `$2y$05$${"K".repeat(22)}${"x".repeat(31)}`;

export function secretCases(caller: () => Caller): void {
  let pair: Pair;
  let other: Pair;
  let expired: Pair;
  beforeAll(() => {
    pair = makeCertificate(["tls.example", "*.tls.example"], { until: "20360101000000Z" });
    other = makeCertificate(["tls.example"]);
    expired = makeCertificate(["tls.example"], { until: "20210101000000Z" });
  });

  const ask = async (kind: string, object: Json, request: Json = {}): Promise<Verdict> => {
    const { name } = object["metadata"] as { name: string };
    const answer = await caller().post("/admission", review("CREATE", kind, { name, object, ...request }));
    expect(answer.status).toBe(200);
    return ((await answer.json()) as { response: Verdict }).response;
  };
  const tls = (name: string, { chain, key }: Pair) =>
    secret("kubernetes.io/tls", { "tls.crt": chain, "tls.key": key }, { name, uid: `uid-${name}` });
  const secured = (host: string, secretName: string, more: Json = {}) =>
    ingress(
      {
        tls: [{ hosts: [host], secretName }],
        rules: [{ host }],
        defaultBackend: { service: { name: "web", port: { number: 80 } } },
      },
      { name: `i-${host.replaceAll(/[^a-z0-9]/g, "-")}`, uid: `uid-${host}`, ...more },
    );

  describe("a certificate", () => {
    test.each<[string, () => Pair, RegExp]>([
      ["with the key of another", () => ({ ...pair, key: other.key }), /tls\.key is not the key/],
      ["that is garbage", () => ({ ...pair, chain: "garbage" }), /tls\.crt has no certificate/],
      ["behind the one that signed it", () => ({ ...pair, chain: other.chain + pair.chain }), /in the wrong order/],
    ])("%s is denied with a sentence, and nothing is kept", async (title, broken, sentence) => {
      const name = `denied-${title.replaceAll(/[^a-z]+/g, "-")}`;
      const { allowed, status } = await ask("Secret", tls(name, broken()));
      expect({ allowed, code: status?.code }).toEqual({ allowed: false, code: 422 });
      expect(status?.message).toMatch(sentence);
      expect(await caller().stored()).not.toContain(name);
    });

    test("that is too large is denied", async () => {
      const { allowed, status } = await ask("Secret", tls("large", { ...pair, chain: "A".repeat(140_000) }));
      expect({ allowed, message: status?.message }).toEqual({
        allowed: false,
        message: "data.tls.crt: must have at most 131072 bytes",
      });
    });

    test("that has expired or soon will is allowed with a warning", async () => {
      const past = await ask("Secret", tls("expired-tls", expired));
      expect(past).toMatchObject({
        allowed: true,
        warnings: [expect.stringMatching(/^the certificate expired at 2021/)],
      });
      const soon = await ask("Secret", tls("soon-tls", other));
      expect(soon).toMatchObject({ allowed: true, warnings: [expect.stringMatching(/^the certificate expires soon/)] });
    });

    test("in a dry run writes nothing", async () => {
      expect(await ask("Secret", tls("dry-run-tls", pair), { dryRun: true })).toEqual({ uid: "r-1", allowed: true });
      expect(await caller().stored()).not.toContain("dry-run-tls");
    });

    test("is known from then on: hosts that it does not cover are denied, and others are told where it is", async () => {
      expect(await ask("Secret", tls("tls-example", pair))).toEqual({ uid: "r-1", allowed: true });
      const denied = await ask("Ingress", secured("www.elsewhere.example", "tls-example"));
      expect(denied).toMatchObject({ allowed: false, status: { code: 422 } });
      expect(denied.status?.message).toMatch(
        /^the certificate in Secret shop\/tls-example is for tls\.example, \*\.tls\.example and not for www\.elsewhere/,
      );
      const annotations = { "entrance.dev/https": "www.elsewhere.example", "entrance.dev/certificate": "tls-example" };
      const { reviewed } = caller().asking("uncovered", annotations);
      const answer = await caller().post("/admission", reviewed);
      expect(await answer.json()).toMatchObject({ response: { allowed: false, status: { code: 422 } } });

      expect(await ask("Ingress", secured("www.tls.example", "tls-example"))).toMatchObject({ allowed: true });
      const { certificates } = await caller().settled();
      expect(certificates.find((each) => each.secret === "tls-example")).toEqual({
        namespace: "shop",
        secret: "tls-example",
        names: ["tls.example", "*.tls.example"],
        notBefore: "2020-01-01T00:00:00Z",
        notAfter: "2036-01-01T00:00:00Z",
        hosts: ["www.tls.example"],
        problems: [],
      });
      const metrics = await (await caller().fetch("/metrics")).text();
      const end = Date.parse("2036-01-01T00:00:00Z") / 1_000;
      expect(metrics).toContain(
        `entrance_certificate_not_after_seconds{namespace="shop",secret="tls-example"} ${end}\n`,
      );
    });

    test("that is not known yet never denies", async () => {
      const { allowed, warnings } = await ask("Ingress", secured("later.example", "later-tls"));
      expect(allowed).toBe(true);
      expect(warnings?.join()).toMatch(/Secret shop\/later-tls is not known yet/);
    });
  });

  test("no private key and no password is in the store, in what is printed, or in what is shown", async () => {
    const user = secret("kubernetes.io/basic-auth", { username: "ann", password }, { name: "ann", uid: "uid-ann" });
    const many = secret("Opaque", { auth: `bob:${hash}\n` }, { name: "bobs", uid: "uid-bobs" });
    for (const object of [user, many, tls("secrecy-tls", pair)])
      expect(await ask("Secret", object)).toMatchObject({ allowed: true });
    for (const name of ["ann", "bobs"]) {
      const annotations = { "entrance.dev/auth-secret": name };
      const asked = secured(`${name}.tls.example`, "secrecy-tls", { annotations });
      expect(await ask("Ingress", asked)).toMatchObject({ allowed: true });
    }
    const lines = pair.key.split("\n").filter((line) => !line.startsWith("-----") && line !== "");
    expect(lines.length).toBeGreaterThan(1);
    const hidden = [...lines, password, hash, hash.slice(7)].flatMap((text) => [text, ...encodings(text)]);
    const said = await caller().everythingSaid();
    expect(await caller().stored()).toContain("secrecy-tls");
    expect(await caller().stored()).not.toMatch(/\$2[aby]\$/);
    for (const text of said) for (const each of hidden) expect(text.includes(each)).toBe(false);
  });
}

/** Base64 of a text, wherever in a longer one it begins. */
function encodings(text: string): string[] {
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.from("x".repeat(offset) + text).toString("base64");
    return encoded.slice(offset === 0 ? 0 : 4, -4);
  });
}
