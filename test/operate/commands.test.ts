/** The commands on a running Entrance, on both hosts, by its door: a freeze, a backup with a key in it, an adoption. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Caller } from "../functions/caller.ts";
import { makeCertificate } from "../harness/certificate.ts";
import { EntranceProcess, type Platform } from "../harness/entrance-process.ts";
import { type ProcessHost, startProcessHost } from "../harness/process-host.ts";
import { review, secret } from "../observe/wire.ts";
import { done, type, typeInto } from "./command.ts";

const token = "a-token-of-the-tests";
const webhookToken = "a-webhook-token-of-the-tests";
const sealKey = "a-seal-key-of-the-tests";
const directory = mkdtempSync(join(tmpdir(), "entrance-commands-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

for (const platform of ["node", "workerd"] satisfies Platform[]) {
  describe(`an Entrance in ${platform}`, () => {
    let host: ProcessHost;
    let caller: Caller;
    let at: readonly string[];
    const settings = {
      ENTRANCE_WEBHOOK_TOKEN: webhookToken,
      ENTRANCE_OPERATOR_TOKEN: token,
      ENTRANCE_SEAL_KEY: sealKey,
    };
    beforeAll(async () => {
      host = await startProcessHost(platform, settings);
      at = ["--at", host.entrance.url];
      const fetchOf = (path: string, init: RequestInit = {}) => {
        const authorization = `Bearer ${/^\/(admission|audit)/.test(path) ? webhookToken : token}`;
        return host.fetch(path, { ...init, headers: { ...init.headers, authorization } });
      };
      caller = new Caller({ ...host, fetch: fetchOf });
      await caller.expectToWork("before");
    });
    afterAll(() => host.stop());

    test("a freeze is seen everywhere, keeps what changes from the node, and ends at once", async () => {
      expect(await done(settings, "freeze", ...at)).toMatch(/Frozen: openresty/);
      const { audited } = caller.asking("meanwhile", { "entrance.dev/http": "meanwhile.example" });
      expect((await caller.post("/audit", audited)).status).toBe(200);
      await expect
        .poll(async () => (await caller.status()).domains.map(({ name }) => name))
        .toContain("meanwhile.example");
      const { balancers } = await caller.status();
      expect(balancers).toMatchObject([{ frozen: expect.any(Number), nodes: [{ lag: 1 }] }]);
      expect(await (await caller.fetch("/metrics")).text()).toContain('entrance_frozen{balancer="openresty"} 1');
      const ready = await caller.fetch("/readyz");
      expect([ready.status, await ready.text()]).toEqual([
        200,
        expect.stringContaining("balancer openresty is frozen"),
      ]);
      expect(await (await caller.fetch("/")).text()).toContain("FROZEN");
      expect(await done(settings, "show", ...at)).toMatch(/FROZEN since/);
      expect((await host.node.get("meanwhile.example")).status).toBe(404);
      expect((await host.node.get("before.example")).status).toBe(503);

      await done(settings, "unfreeze", "openresty", ...at);
      expect((await host.node.get("meanwhile.example")).status).toBe(503);
      expect(await (await caller.fetch("/metrics")).text()).toContain('entrance_frozen{balancer="openresty"} 0');
    });

    test("a backup has no private key in the clear, belongs to its owner, and is refused where it was cut", async () => {
      const { chain, key } = makeCertificate(["tls.example"]);
      const object = secret("kubernetes.io/tls", { "tls.crt": chain, "tls.key": key }, { name: "tls", uid: "uid-tls" });
      const reviewed = review("CREATE", "Secret", { name: "tls", object });
      expect(await (await caller.post("/admission", reviewed)).json()).toMatchObject({ response: { allowed: true } });
      await caller.settled();
      const file = join(directory, `${platform}.package`);
      expect(await done(settings, "export", file, ...at)).toMatch(/records are in/);
      const text = readFileSync(file, "utf8");
      expect(text).toContain("BEGIN CERTIFICATE");
      for (const line of key.split("\n").filter((each) => each.length > 40)) expect(text).not.toContain(line);
      expect(text).not.toContain("PRIVATE KEY");
      expect(text).not.toContain(token);
      expect(text).not.toContain(webhookToken);
      expect(text).not.toContain(sealKey);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      writeFileSync(file, text.split("\n").slice(0, -2).join("\n"));
      const refused = await type({ ENTRANCE_DATA: join(directory, platform) }, "import", file);
      expect(refused).toMatchObject({ code: 1, error: expect.stringMatching(/cut off/) });
      await caller.expectToWork("after-the-backup");
    });

    test("a backup by standard output is the same package, and one that broke off is not taken from standard input", async () => {
      const { code, out, error } = await type(settings, "export", "-", ...at);
      expect({ code, error }).toEqual({ code: 0, error: expect.stringMatching(/^\d+ records are in the package\./) });
      const target = { ENTRANCE_DATA: join(directory, `${platform}-by-pipe`), ENTRANCE_SEAL_KEY: sealKey };
      const lines = out.split("\n");
      for (const broken of ["", lines.slice(0, 1).join("\n"), lines.slice(0, -2).join("\n"), out.slice(0, -20)]) {
        const refused = await typeInto(broken, target, "import", "-");
        expect(refused).toMatchObject({ code: 1, error: expect.stringMatching(/the package cannot be used/) });
        expect(refused.error).not.toMatch(/^\s+at /m);
      }
      const imported = await typeInto(out, target, "import", "-");
      expect(imported).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+ records of .* are in the store/) });
      const again = await type(target, "export", "-");
      const records = (text: string) => text.trim().split("\n").slice(1, -1).sort();
      expect(records(again.out)).toEqual(records(out));
    });

    test("a closed store refuses what it is told, says so everywhere, and is opened again", async () => {
      await done(settings, "close", ...at);
      const { audited } = caller.asking("refused", { "entrance.dev/http": "refused.example" });
      const refused = await caller.post("/audit", audited);
      expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "10"]);
      expect((await caller.fetch("/resync", { method: "POST" })).status).toBe(503);
      const shown = await Promise.all(["/readyz", "/status", "/"].map((path) => caller.fetch(path)));
      for (const answer of shown) {
        expect(answer.status).toBe(200);
        expect(await answer.text()).toContain("this store is closed");
      }
      expect(await (await caller.fetch("/metrics")).text()).toContain("entrance_store_closed 1");
      expect(await done(settings, "show", ...at)).toMatch(/^CLOSED since/);
      expect((await host.node.get("before.example")).status).toBe(503);
      expect(await type(settings, "forget", "openresty", ...at)).toMatchObject({
        code: 1,
        error: expect.stringMatching(/objects still want something of balancer openresty/),
      });
      await done(settings, "open", ...at);
      expect((await caller.post("/audit", audited)).status).toBe(200);
      await caller.expectToWork("after-opening");
    });

    test("nodes that another store drove: shown first, then adopted", async () => {
      const nodes = [`http://127.0.0.1:${host.node.ports.admin}`];
      const second = await EntranceProcess.start({ platform: "node", nodes, environment: settings });
      try {
        const way = ["--at", second.url];
        const { audited } = caller.asking("second", { "entrance.dev/http": "second.example" });
        const headers = { "content-type": "application/json", authorization: `Bearer ${webhookToken}` };
        await second.fetch("/audit", { method: "POST", headers, body: JSON.stringify(audited) });
        const adopting = () => done(settings, "adopt", "openresty", ...way);
        await expect.poll(adopting, { timeout: 20_000 }).toMatch(/belongs to store [0-9a-f]{32}/);
        const shown = await adopting();
        expect(shown).toContain(nodes[0]);
        expect((await host.node.get("second.example")).status).toBe(404);
        // What to type next is typed as it is shown.
        const [, next = ""] = /^ {2}npm run adopt -- (openresty [0-9a-f]{32} --at \S+)$/m.exec(shown) ?? [];
        await done(settings, "adopt", ...next.split(" "));
        await expect.poll(async () => (await host.node.get("second.example")).status, { timeout: 20_000 }).toBe(503);
        expect((await host.node.get("before.example")).status).toBe(404);
      } finally {
        await second.stop();
      }
    });

    test("nobody has the store without the token, and a page of the web has it on no machine", async () => {
      const call = { call: "get", key: { partition: "lock", sort: "lock" } };
      const plain = (headers: Record<string, string>, body: unknown = call) =>
        host.fetch("/store", { method: "POST", headers, body: JSON.stringify(body) });
      const json = { "content-type": "application/json" };
      expect((await plain(json)).status).toBe(401);
      const authorization = `Bearer ${token}`;
      expect((await plain({ authorization, "content-type": "text/plain" })).status).toBe(400);
      expect((await plain({ ...json, authorization })).status).toBe(200);
      expect((await plain({ ...json, authorization }, { call: "drop" })).status).toBe(400);
      expect((await plain({ ...json, authorization }, { ...call, key: { partition: "", sort: "x" } })).status).toBe(
        400,
      );
      expect((await plain({ ...json, authorization }, { call: "list", partition: "p", limit: 1e9 })).status).toBe(400);
      expect((await plain({ ...json, authorization }, "x".repeat(5_000_000))).status).toBe(413);
      for (const others of [{}, { ENTRANCE_WEBHOOK_TOKEN: webhookToken }]) {
        const refused = { code: 1, error: expect.stringMatching(/valid token/) };
        expect(await type(others, "show", ...at)).toMatchObject(refused);
      }
    });
  });
}

describe("what is typed", () => {
  const cases: [readonly string[], RegExp][] = [
    [[], /npm run store -- show/],
    [["drop"], /npm run store -- show/],
    [["toString"], /npm run store -- show/],
    [["export"], /npm run store -- export FILE/],
    [["show", "--replace"], /npm run store -- show/],
    [["show", "--at"], /--at/],
    [["show", "--at", "ftp://x"], /--at needs a URL/],
    [["show", "--at", "http://127.0.0.1:9"], /Entrance does not answer at http:\/\/127.0.0.1:9/],
    [["import", "/nowhere/file"], /\/nowhere\/file cannot be read/],
  ];
  test("what is no command is answered with what to type", async () => {
    const typed = async ([words, says]: (typeof cases)[number]) => ({
      says,
      ...(await type({ ENTRANCE_DATA: join(directory, "typed") }, ...words)),
    });
    for (const { says, code, out, error } of await Promise.all(cases.map(typed))) {
      expect({ code, out, error }).toEqual({ code: 1, out: "", error: expect.stringMatching(says) });
      expect(error).not.toMatch(/^\s+at /m);
    }
  });

  test("where there is no store none is made", async () => {
    const typed = await type({ ENTRANCE_DATA: join(directory, "none") }, "show");
    expect(typed).toMatchObject({ code: 1, error: expect.stringMatching(/--at URL/) });
    expect(() => statSync(join(directory, "none"))).toThrow();
  });
});
