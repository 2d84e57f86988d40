/** What of a Secret is read, in which form, and what is none of ours. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SentSecret } from "../../shared/model/sent-secret.ts";
import { decodeEventList } from "../../shared/observe/audit-event.ts";
import { decodeBase64 } from "../../shared/observe/base64.ts";
import { decodeReview } from "../../shared/observe/review.ts";
import { event, eventList, type Json, observeSettings, review, secret } from "./wire.ts";

function subjectOf(operation: string, objects: Json) {
  const decoded = decodeReview(review(operation, "Secret", { name: "shop-tls", ...objects }), observeSettings);
  if (!decoded.ok) throw new Error(decoded.reason);
  return decoded.subject;
}

function sent(type: string, data: Readonly<Record<string, string>>): SentSecret {
  const subject = subjectOf("CREATE", { object: secret(type, data) });
  const observation = subject.type === "observed" ? subject.observation : undefined;
  if (observation?.type !== "object" || observation.object.kind !== "SentSecret") throw new Error(subject.type);
  return observation.object;
}

const tls = { "tls.crt": "CHAIN", "tls.key": "KEY" };
const bcrypt = `$2y$05$${"a".repeat(53)}`;

describe("a certificate", () => {
  test("with its key, which nothing shows", () => {
    const read = sent("kubernetes.io/tls", { ...tls });
    expect(read.certificate?.chain).toBe("CHAIN");
    expect(read.certificate?.key.reveal()).toBe("KEY");
    expect(JSON.stringify(read)).not.toContain("KEY");
    expect(read).toMatchObject({ kind: "SentSecret", namespace: "shop", name: "shop-tls", problems: [] });
  });

  test.each([{}, { "tls.crt": "CHAIN" }, { "tls.crt": "CHAIN", "tls.key": "" }])(
    "that is not there yet: %j",
    (data: Record<string, string>) => {
      const { certificate, problems } = sent("kubernetes.io/tls", data);
      expect(certificate).toBeUndefined();
      expect(problems).toEqual([{ sentence: expect.stringMatching(/not both there yet/), deny: false }]);
    },
  );

  test.each<[string, Json, RegExp]>([
    ["no base64", { "tls.crt": "%%%", "tls.key": "S0VZ" }, /^data\.tls\.crt: must be base64/],
    ["base64 without its end", { "tls.crt": "S0VZ", "tls.key": "S0VZS0" }, /^data\.tls\.key: must be base64/],
    ["bytes that are no text", { "tls.crt": "gICA", "tls.key": "S0VZ" }, /^data\.tls\.crt: must be base64 of a text/],
    ["a number", { "tls.crt": 7, "tls.key": "S0VZ" }, /^data\.tls\.crt: must be a text in base64/],
    ["too much", { "tls.crt": "AAAA".repeat(60_000), "tls.key": "S0VZ" }, /^data\.tls\.crt: must have at most 131072/],
    ["too long a key", { "tls.crt": "S0VZ", "tls.key": "AAAA".repeat(6_000) }, /^data\.tls\.key: must have at most/],
  ])("is refused: %s", (_, data, reason) => {
    const object = { ...secret("kubernetes.io/tls", {}), data };
    expect(subjectOf("CREATE", { object })).toMatchObject({ type: "unusable", reason: expect.stringMatching(reason) });
  });
});

describe("users", () => {
  test("one with a password", () => {
    const [user] = sent("kubernetes.io/basic-auth", { username: "ann", password: "pa:ss" }).users ?? [];
    expect(user?.name).toBe("ann");
    expect(user !== undefined && "password" in user && user.password.reveal()).toBe("pa:ss");
  });

  test("many, as htpasswd writes them; a line that can't be used harms no other, and is not repeated", () => {
    const lines = [`ann:${bcrypt}`, "", "# a remark", "bob:$apr1$x$y", "no colon", `ann:${bcrypt}`, `eve:${bcrypt}\r`];
    const { users, problems } = sent("Opaque", { auth: lines.join("\n") });
    expect(users?.map(({ name }) => name)).toEqual(["ann", "eve"]);
    expect(problems.map(({ sentence, deny }) => [sentence.split(":")[0], deny])).toEqual([
      ["data.auth, line 4", false],
      ["data.auth, line 5", false],
      ["data.auth, line 6", false],
    ]);
    expect(JSON.stringify(problems)).not.toMatch(/apr1|no colon/);
  });

  test.each<[string, string, Record<string, string>]>([
    ["a password too long for bcrypt", "kubernetes.io/basic-auth", { username: "ann", password: "x".repeat(73) }],
    ["an empty password", "kubernetes.io/basic-auth", { username: "ann", password: "" }],
    ["a name with a colon", "kubernetes.io/basic-auth", { username: "a:b", password: "secret" }],
    ["no name", "kubernetes.io/basic-auth", { password: "secret" }],
    ["no lines", "Opaque", { auth: "\n\n" }],
    ["no hashes", "Opaque", { auth: "Bearer of somebody else's\nsecret" }],
    ["more than there may be", "Opaque", { auth: Array.from({ length: 101 }, (_, n) => `u${n}:${bcrypt}`).join("\n") }],
  ])("are told, and never refused, since they may be somebody else's: %s", (_, type, data) => {
    const { problems } = sent(type, data);
    expect(problems).not.toEqual([]);
    expect(problems.every(({ deny }) => !deny)).toBe(true);
    expect(JSON.stringify(problems)).not.toMatch(/secret|Bearer|xxx/);
  });
});

describe("none of ours", () => {
  const opaque = secret("Opaque", { password: "x" });
  const ours = secret("Opaque", { auth: `ann:${bcrypt}` });
  test.each<[string, string, Json]>([
    ["another type, created", "CREATE", { object: opaque }],
    ["another type, changed", "UPDATE", { object: opaque, oldObject: opaque }],
    ["another type, deleted", "DELETE", { oldObject: opaque }],
    ["deleted without being told", "DELETE", {}],
    ["a type that is none", "CREATE", { object: { ...opaque, type: 7 } }],
    ["data that is none", "CREATE", { object: { ...opaque, data: "auth" } }],
  ])("%s", (_, operation, objects) => {
    expect(subjectOf(operation, objects)).toEqual({ type: "irrelevant" });
  });

  test("one that was ours is kept without content", () => {
    const subject = subjectOf("UPDATE", { object: opaque, oldObject: ours });
    expect(subject).toMatchObject({ type: "observed", observation: { object: { problems: [] } } });
    expect(JSON.stringify(subject)).not.toContain("users");
  });

  test("one that is ours ends", () => {
    expect(subjectOf("DELETE", { oldObject: ours })).toMatchObject({ type: "observed", observation: { type: "gone" } });
  });
});

describe("audit events", () => {
  const decode = (item: Json) => {
    const decoded = decodeEventList(eventList(item), observeSettings);
    return decoded.ok ? decoded.observations : [];
  };
  const reference = { kind: "Secret", namespace: "shop", name: "shop-tls" };

  test.each(["create", "update", "patch", "delete"])("of a %s are a hint, whatever they carry", (verb) => {
    const told = decode(event(verb, "Secret", secret("kubernetes.io/tls", tls), {}, { name: "shop-tls" }));
    expect(told).toEqual([{ type: "hint", reference }]);
  });

  test("of a delete bury the uid that its status names", () => {
    const details = { name: "shop-tls", kind: "secrets", uid: "uid-1" };
    const changes = { level: "Metadata", responseStatus: { code: 200, details } };
    const item = event("delete", "Secret", undefined, changes, { name: "shop-tls" });
    expect(decode(item)).toEqual([{ type: "buried", reference, uid: "uid-1" }]);
    expect(decode({ ...item, verb: "update" })).toEqual([{ type: "hint", reference }]);
    const foreground = { ...item, requestObject: { kind: "DeleteOptions", propagationPolicy: "Foreground" } };
    expect(decode(foreground)).toEqual([{ type: "hint", reference }]);
  });
});

test("base64 is decoded as Node does, where it is base64 of a text, and never otherwise", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const encoded = Buffer.from(text).toString("base64");
      expect(decodeBase64(encoded)).toBe(Buffer.from(text).toString());
      if (encoded !== "") expect(decodeBase64(`${encoded.slice(0, -1)} `)).toBeUndefined();
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const buffer = Buffer.from(bytes);
      const isText = Buffer.from(buffer.toString("utf8")).equals(buffer);
      expect(decodeBase64(buffer.toString("base64"))).toBe(isText ? buffer.toString("utf8") : undefined);
    }),
  );
});
