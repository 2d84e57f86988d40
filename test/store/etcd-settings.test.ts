/** What only etcd has: members that die, users, certificates, tokens, and names that others may use, too. */
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { Agent, fetch as fetchWith } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SecretText } from "../../shared/model/secret-text.ts";
import { openStoreByDoor } from "../../shared/store/by-door.ts";
import { type EtcdSettings, openEtcd } from "../../shared/store/etcd.ts";
import { openEtcdGateway } from "../../shared/store/etcd-gateway.ts";
import type { Store } from "../../shared/store/port.ts";
import { makeCertificate, type Pair } from "../harness/certificate.ts";
import { EntranceProcess } from "../harness/entrance-process.ts";
import { type EtcdCluster, startEtcd } from "../harness/etcd.ts";
import { at, put, walk } from "./conformance.ts";

type Settings = Pick<EtcdSettings, "endpoints"> & Partial<EtcdSettings>;

function openPlain(settings: Settings): Store {
  return openEtcd({ user: undefined, ca: undefined, client: undefined, prefix: "entrance", ...settings });
}

function openByGateway({ endpoints, user, prefix = "entrance" }: Settings): Store {
  return openEtcdGateway({ endpoints, user, prefix, fetch });
}

const ways = { gRPC: openPlain, "the JSON gateway": openByGateway };

const directory = mkdtempSync(join(tmpdir(), "entrance-etcd-settings-"));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

describe("three members", () => {
  let etcd: EtcdCluster;
  beforeAll(async () => {
    etcd = await startEtcd({ members: 3 });
  });
  afterAll(() => etcd.stop());

  for (const [way, open] of Object.entries(ways)) {
    test(`by ${way}: one dies, one stands still, one is gone for good; writing goes on`, async () => {
      const prefix = randomUUID();
      const store = open({ endpoints: etcd.urls, prefix });
      let written = 0;
      /** Until one commit after the other is taken; the count shows that none was taken twice or lost. */
      const write = async (times: number) => {
        for (let done = 0; done < times; ) {
          const key = { partition: "p", sort: "counter" };
          try {
            const entry = await store.get(key);
            expect(Number(entry?.value ?? "0")).toBe(written);
            const value = String(written + 1);
            const result = await store.commit([{ key, version: entry?.version ?? null }], [{ key, value }]);
            expect(result.ok).toBe(true);
            written += 1;
            done += 1;
          } catch (error) {
            // Without a leader for a moment. An uncertain one may have happened.
            expect(error).toMatchObject({ code: expect.stringMatching(/^(unavailable|uncertain)$/) });
            await sleep(50);
            written = Number((await store.get(key).catch(() => undefined))?.value ?? written);
          }
        }
      };
      await write(10);
      for (const member of etcd.members) {
        await member.kill();
        await write(10);
        await member.start();
        await write(10);
        member.signal("SIGSTOP");
        await write(5);
        member.signal("SIGCONT");
        await write(5);
      }
      await store.close();
    });

    test(`by ${way}: all are gone, and come back`, async () => {
      const store = open({ endpoints: etcd.urls, prefix: randomUUID() });
      const version = await put(store, "p", { a: "1" });
      await Promise.all(etcd.members.map((member) => member.kill()));
      await expect(store.get({ partition: "p", sort: "a" })).rejects.toMatchObject({ code: "unavailable" });
      await expect(put(store, "p", { a: "2" })).rejects.toMatchObject({ code: "unavailable" });
      await Promise.all(etcd.members.map((member) => member.start()));
      expect(await store.get({ partition: "p", sort: "a" })).toMatchObject({ value: "1", version });
      await put(store, "p", { a: "3" });
      await store.close();
    });
  }

  test("an endpoint that nobody listens at is passed over", async () => {
    const store = openPlain({ endpoints: ["http://127.0.0.1:9", "http://etcd.invalid:2379", ...etcd.urls] });
    await put(store, "p", { a: "1" });
    expect(await walk(store, "p")).toEqual([["a", "1"]]);
    await store.close();
  });

  test("stores of two prefixes see nothing of each other, however alike their names", async () => {
    const prefixes = ["entrance", "entrance/2", "entrance2", "e"];
    const stores = prefixes.map((prefix) => openPlain({ endpoints: etcd.urls, prefix: `${prefix}` }));
    for (const [index, store] of stores.entries()) {
      await put(store, "twins", { a: String(index) });
      await put(store, "2", { twins: String(index) });
    }
    for (const [index, store] of stores.entries()) {
      expect(await walk(store, "twins")).toEqual([["a", String(index)]]);
      expect(await walk(store, "2")).toEqual([["twins", String(index)]]);
      await store.close();
    }
  });

  test("a store of a later format is refused, and left alone", async () => {
    const prefix = randomUUID();
    await ask(at(etcd.urls, 0), "/v3/kv/put", { key: btoa(`${prefix}\0\0format`), value: btoa("2") });
    const store = openPlain({ endpoints: etcd.urls, prefix });
    for (let time = 0; time < 2; time += 1) {
      await expect(put(store, "p", { a: "1" })).rejects.toMatchObject({
        code: "misconfigured",
        message: expect.stringMatching(/format 2.*run the newer Entrance/),
      });
    }
    await store.close();
  });

  test("what is no etcd is said to be none", async () => {
    const store = openByGateway({ endpoints: [at(etcd.urls, 0).replace(/\d+$/, "10003")] });
    await expect(store.get({ partition: "p", sort: "a" })).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("users", () => {
  const password = `secret-${randomUUID()}`;
  const tokenKey = join(directory, "token.pem");
  let etcd: EtcdCluster;
  let url: string;

  /** As root. */
  async function administer(path: string, body: unknown): Promise<void> {
    const { token } = (await ask(url, "/v3/auth/authenticate", { name: "root", password })) as { token: string };
    await ask(url, path, body, token);
  }

  beforeAll(async () => {
    execFileSync("openssl", ["genrsa", "-out", tokenKey, "2048"], { stdio: "ignore" });
    execFileSync("openssl", ["rsa", "-in", tokenKey, "-pubout", "-out", `${tokenKey}.pub`], { stdio: "ignore" });
    etcd = await startEtcd({
      args: ["--auth-token", `jwt,pub-key=${tokenKey}.pub,priv-key=${tokenKey},sign-method=RS256,ttl=2s`],
    });
    url = at(etcd.urls, 0);
    const range = { key: btoa("entrance\0"), range_end: btoa("entrance\u0001") };
    await ask(url, "/v3/auth/role/add", { name: "entrance" });
    await ask(url, "/v3/auth/role/grant", { name: "entrance", perm: { permType: "READWRITE", ...range } });
    for (const [name, role] of [
      ["root", "root"],
      ["entrance", "entrance"],
    ]) {
      await ask(url, "/v3/auth/user/add", { name, password });
      await ask(url, "/v3/auth/user/grant", { user: name, role });
    }
    await ask(url, "/v3/auth/enable", {});
  });
  afterAll(() => etcd.stop());

  for (const [way, open] of Object.entries(ways)) {
    const user = (secret = password) => ({ name: "entrance", password: new SecretText(secret) });

    test(`by ${way}: a user that may use the prefix and nothing else is enough`, async () => {
      const store = open({ endpoints: etcd.urls, user: user() });
      // Of its upkeep as well.
      for (const minute of [0, 6]) await store.tend?.(minute * 60_000);
      await put(store, way, { a: "1", b: "2", c: null });
      expect(await walk(store, way)).toEqual([
        ["a", "1"],
        ["b", "2"],
      ]);
      await store.close();
    });

    test(`by ${way}: a token that ended, and one from before users changed, are renewed`, async () => {
      const store = open({ endpoints: etcd.urls, user: user() });
      await put(store, way, { a: "1" });
      // Tokens are good for two seconds here.
      await sleep(2_500);
      await put(store, way, { a: "2" });
      for (let time = 0; time < 3; time += 1) {
        await administer("/v3/auth/user/add", { name: randomUUID(), password });
        await Promise.all(["a", "b", "c"].map((sort) => put(store, way, { [sort]: "3" })));
        await administer("/v3/auth/user/add", { name: randomUUID(), password });
        expect(await store.get({ partition: way, sort: "a" })).toMatchObject({ value: "3" });
      }
      await store.close();
    });

    test(`by ${way}: a wrong password, no user, and another's prefix are said, without the password`, async () => {
      const cases: [Partial<Settings>, RegExp][] = [
        [{ user: user(`${password}x`) }, /ENTRANCE_ETCD_PASSWORD are not etcd's/],
        [{}, /set ENTRANCE_ETCD_USER/],
        [{ user: user(), prefix: "other" }, /grant ENTRANCE_ETCD_USER reading and writing below ENTRANCE_ETCD_PREFIX/],
      ];
      for (const [settings, says] of cases) {
        const store = open({ endpoints: etcd.urls, ...settings });
        const error = await store.get({ partition: "p", sort: "a" }).catch((reason: unknown) => reason);
        expect(error).toMatchObject({ code: "misconfigured", message: expect.stringMatching(says) });
        expect(inspect(error, { depth: 10 })).not.toContain(password);
        await expect(put(store, "p", { a: "1" })).rejects.toMatchObject({ code: "misconfigured" });
        await store.close();
      }
    });
  }
});

describe("TLS", () => {
  let server: Pair;
  let client: Pair;
  let etcd: EtcdCluster;
  let endpoints: string[];

  beforeAll(async () => {
    server = makeCertificate(["localhost"]);
    client = makeCertificate(["a-client"]);
    const certificate = file("server.crt", server.chain);
    const clientCa = file("client.crt", client.chain);
    etcd = await startEtcd({ tls: { certificate, key: file("server.key", server.key), clientCa } });
    endpoints = etcd.urls.map((url) => url.replace("127.0.0.1", "localhost"));
  });
  afterAll(() => etcd.stop());

  test("with a client's certificate", async () => {
    const [ca, certificate, key] = [server.chain, client.chain, client.key].map((text) => Buffer.from(text));
    if (certificate === undefined || key === undefined) throw new Error("no certificate");
    const store = openPlain({ endpoints, ca, client: { certificate, key } });
    await put(store, "p", { a: "1" });
    expect(await walk(store, "p")).toEqual([["a", "1"]]);
    await store.close();
  });

  test("without one, or where the server's authority is not known, nothing is sent", async () => {
    const authorities = [Buffer.from(server.chain), Buffer.from(client.chain), undefined];
    await Promise.all(
      authorities.map(async (ca) => {
        const store = openPlain({ endpoints, ca });
        await expect(put(store, "p", { a: "1" })).rejects.toMatchObject({ code: "unavailable" });
        await store.close();
      }),
    );
  });
});

/** workerd has the JSON gateway alone, and no file to read an authority from: whoever starts it is told of that one. */
describe("TLS in workerd", () => {
  const password = `secret-${randomUUID()}`;
  const user = "entrance";
  let etcd: EtcdCluster;
  let endpoint: string;
  let authority: string;

  beforeAll(async () => {
    const { chain, key } = makeCertificate(["localhost"]);
    authority = file("worker-server.crt", chain);
    etcd = await startEtcd({ tls: { certificate: authority, key: file("worker-server.key", key) } });
    endpoint = at(etcd.urls, 0).replace("127.0.0.1", "localhost");
    const trusting = new Agent({ connect: { ca: chain } });
    const administer = async (path: string, body: unknown) => {
      const answer = await fetchWith(`${endpoint}${path}`, {
        method: "POST",
        body: JSON.stringify(body),
        dispatcher: trusting,
      });
      if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
    };
    for (const name of ["root", user]) {
      await administer("/v3/auth/user/add", { name, password });
      await administer("/v3/auth/user/grant", { user: name, role: "root" });
    }
    await administer("/v3/auth/enable", {});
    await trusting.close();
  });
  afterAll(() => etcd.stop());

  function start(settings: Readonly<Record<string, string>>): Promise<EntranceProcess> {
    const environment = {
      ENTRANCE_STORE: "etcd",
      ENTRANCE_ETCD_ENDPOINTS: endpoint,
      ENTRANCE_ETCD_USER: user,
      ENTRANCE_ETCD_PASSWORD: password,
      NODE_EXTRA_CA_CERTS: authority,
      ...settings,
    };
    return EntranceProcess.start({ platform: "workerd", nodes: [], environment });
  }

  test("a private authority, and a user with a password", async () => {
    await using entrance = await start({});
    const store = openStoreByDoor({ url: entrance.url, token: undefined, fetch });
    await put(store, "p", { a: "1" });
    expect(await walk(store, "p")).toEqual([["a", "1"]]);
    expect(entrance.log).not.toContain(password);
  });

  test("where the authority is not known nothing is sent, and where the password is wrong that is said", async () => {
    const other = file("other.crt", makeCertificate(["localhost"]).chain);
    await using stranger = await start({ NODE_EXTRA_CA_CERTS: other });
    await using mistaken = await start({ ENTRANCE_ETCD_PASSWORD: `${password}x` });
    const open = ({ url }: EntranceProcess) => openStoreByDoor({ url, token: undefined, fetch });
    await expect(put(open(stranger), "q", { a: "2" })).rejects.toMatchObject({
      code: expect.stringMatching(/^(unavailable|uncertain)$/),
    });
    await expect(put(open(mistaken), "q", { a: "3" })).rejects.toMatchObject({ code: "misconfigured" });
    expect(`${stranger.log}${mistaken.log}`).not.toContain(password);
    await using entrance = await start({});
    expect(await walk(open(entrance), "q")).toEqual([]);
  });
});

async function ask(url: string, path: string, body: unknown, token?: string): Promise<unknown> {
  const headers = token === undefined ? {} : { authorization: token };
  const response = await fetch(`${url}${path}`, { method: "POST", body: JSON.stringify(body), headers });
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  return response.json();
}
