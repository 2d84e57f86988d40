/** What is sealed opens with its key and for its place alone, and sealing never changes what is equal. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson, contentHash } from "../../shared/model/canonical.ts";
import { isSealed, type Sealed, sealKeyOf } from "../../shared/model/sealed.ts";
import { SecretText } from "../../shared/model/secret-text.ts";
import { sealKeyId } from "../../shared/sealing/seal-key.ts";
import { Sealer } from "../../shared/sealing/sealer.ts";

const [old, next, other] = ["an-older-seal-key", "the-newer-seal-key", "somebody-elses-key"].map(
  (text) => new SecretText(text),
) as [SecretText, SecretText, SecretText];
const of = "Secret/shop/shop-tls/tls.key";

async function sealed(sealer: Sealer, text: string, place = of): Promise<Sealed> {
  const secret = await sealer.seal(place, text);
  if (secret === undefined) throw new Error("nothing to seal with");
  return secret;
}

test("what is sealed is opened, whatever it is, and stands nowhere in what is kept", async () => {
  const sealer = new Sealer([next]);
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme", minLength: 8, maxLength: 2_000 }), async (text) => {
      const secret = await sealed(sealer, text);
      expect(isSealed(secret)).toBe(true);
      expect(await sealer.open(secret)).toBe(text);
      expect(JSON.stringify(secret)).not.toContain(text);
    }),
    { numRuns: 100 },
  );
});

test("each time another text, and always the same print", async () => {
  const sealer = new Sealer([next]);
  const many = await Promise.all(Array.from({ length: 200 }, () => sealed(sealer, "secret")));
  expect(new Set(many.map((each) => each.sealed)).size).toBe(200);
  expect(new Set(many.map((each) => each.sealed.split(".")[1])).size).toBe(200);
  expect(new Set(many.map((each) => each.print)).size).toBe(1);
});

test("prints tell different secrets, places and keys apart", async () => {
  const prints = [
    await sealed(new Sealer([next]), "secret"),
    await sealed(new Sealer([next]), "secret2"),
    await sealed(new Sealer([next]), "secret", "Secret/shop/other/tls.key"),
    await sealed(new Sealer([old]), "secret"),
  ].map(({ print }) => print);
  expect(new Set(prints).size).toBe(4);
});

describe("is not opened", () => {
  const cases: readonly [string, (secret: Sealed) => Sealed, Sealer][] = [
    ["with another key", (secret) => secret, new Sealer([other])],
    ["with none", (secret) => secret, new Sealer([])],
    ["for another place", (secret) => ({ ...secret, of: "Secret/evil/shop-tls/tls.key" }), new Sealer([next])],
    ["with another print", (secret) => ({ ...secret, print: "0".repeat(40) }), new Sealer([next])],
    ["under another key's id", (secret) => ({ ...secret, sealed: relabelled(secret, old) }), new Sealer([old, next])],
    ["cut off", (secret) => ({ ...secret, sealed: secret.sealed.slice(0, -8) }), new Sealer([next])],
    ["without its parts", (secret) => ({ ...secret, sealed: secret.sealed.split(".")[0] ?? "" }), new Sealer([next])],
    ["as garbage", (secret) => ({ ...secret, sealed: `${sealKeyOf(secret)}.?.?` }), new Sealer([next])],
  ];
  test.each(cases)("%s", async (_, change, sealer) => {
    expect(await sealer.open(change(await sealed(new Sealer([next]), "secret")))).toBeUndefined();
  });

  test("when any of its bits is another one", async () => {
    const sealer = new Sealer([next]);
    const secret = await sealed(sealer, "secret");
    const [id = "", nonce = "", bytes = ""] = secret.sealed.split(".");
    for (const part of ["nonce", "bytes"] as const) {
      const raw = Buffer.from(part === "nonce" ? nonce : bytes, "base64");
      for (let index = 0; index < raw.length * 8; index += 7) {
        const changed = Buffer.from(raw);
        changed[index >> 3] = (changed[index >> 3] ?? 0) ^ (1 << (index & 7));
        const text = changed.toString("base64");
        const tampered = part === "nonce" ? `${id}.${text}.${bytes}` : `${id}.${nonce}.${text}`;
        expect(await sealer.open({ ...secret, sealed: tampered })).toBeUndefined();
      }
    }
  });
});

function relabelled(secret: Sealed, key: SecretText): string {
  return secret.sealed.replace(/^[^.]*/, sealKeyId(key));
}

describe("with two keys", () => {
  test("the first seals and both open", async () => {
    const both = new Sealer([next, old]);
    expect(sealKeyOf(await sealed(both, "secret"))).toBe(sealKeyId(next));
    for (const key of [old, next]) expect(await both.open(await sealed(new Sealer([key]), "secret"))).toBe("secret");
  });

  test("what the older sealed is sealed anew by the first, with the same print, and then needs the older no more", async () => {
    const before = await sealed(new Sealer([old]), "secret");
    const after = await new Sealer([next, old]).reseal(before);
    expect(after).toMatchObject({ of, print: before.print });
    expect(after && sealKeyOf(after)).toBe(sealKeyId(next));
    expect(after && (await new Sealer([next]).open(after))).toBe("secret");
    expect(contentHash(after)).toBe(contentHash(before));
  });

  test("nothing is sealed anew that the first sealed, or nobody can open", async () => {
    const sealer = new Sealer([next]);
    expect(await sealer.reseal(await sealed(sealer, "secret"))).toBeUndefined();
    expect(await sealer.reseal(await sealed(new Sealer([other]), "secret"))).toBeUndefined();
    expect(await new Sealer([]).reseal(await sealed(sealer, "secret"))).toBeUndefined();
  });
});

test("without a key nothing is sealed", async () => {
  expect(await new Sealer([]).seal(of, "secret")).toBeUndefined();
});

test("sealing never changes what is equal: of any value with secrets in it the hash is that of the secrets, not of their texts", async () => {
  const sealer = new Sealer([next]);
  const secret = fc.constantFrom("one", "two", "three").map((text) => ({ secret: text }));
  const value = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      secret,
      fc.string(),
      fc.array(tie("tree")),
      fc.dictionary(fc.string(), tie("tree")),
    ),
  })).tree;
  const withSealed = async (each: unknown): Promise<unknown> => {
    if (typeof each !== "object" || each === null) return each;
    if ("secret" in each && Object.keys(each).length === 1 && typeof each.secret === "string") {
      return sealed(sealer, each.secret);
    }
    if (Array.isArray(each)) return Promise.all(each.map(withSealed));
    const members = Object.entries(each).map(async ([name, member]) => [name, await withSealed(member)] as const);
    return Object.fromEntries(await Promise.all(members));
  };
  await fc.assert(
    fc.asyncProperty(value, value, async (a, b) => {
      const [first, again, second] = [await withSealed(a), await withSealed(a), await withSealed(b)];
      expect(contentHash(first)).toBe(contentHash(again));
      expect(contentHash(first) === contentHash(second)).toBe(canonicalJson(a) === canonicalJson(b));
    }),
    { numRuns: 150 },
  );
});
