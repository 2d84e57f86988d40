// Which certificate a handshake is answered with, by the name that the client asks for.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { childrenOf } from "../../bench/worker-time.ts";
import { type Backend, startBackend } from "../../harness/backend.ts";
import { makeCertificate } from "../../harness/certificate.ts";
import { requestTls } from "../../harness/https.ts";
import { startNode, type TestNode } from "../../harness/node.ts";
import { certificate, domain, pool, rule, slice } from "../values.ts";

const run = promisify(execFile);
const pairs = {
  exact: makeCertificate(["a.example"]),
  exactRsa: makeCertificate(["a.example"], { key: "rsa:2048" }),
  wildcard: makeCertificate(["*.example"]),
  standard: makeCertificate(["default.invalid"]),
  curve: makeCertificate(["c.example"], { key: "ec:P-384" }),
  edwards: makeCertificate(["d.example"], { key: "ed25519" }),
};
let node: TestNode;
let backend: Backend;

beforeAll(async () => {
  backend = await startBackend("web");
  node = await startNode();
});

afterAll(async () => {
  await node.stop();
  await backend.close();
});

/** The subject of the certificate that is presented for a name. */
async function presented(servername: string): Promise<string> {
  const answer = await requestTls(node.ports.https, "a.example", "/", { servername });
  return answer.certificate.subject;
}

/** What openssl's client says, having sent nothing. */
async function client(...options: string[]): Promise<string> {
  const address = ["s_client", "-connect", `127.0.0.1:${node.ports.https}`, ...options];
  const running = run("openssl", address, { timeout: 20_000 });
  running.child.stdin?.end();
  const { stdout, stderr } = await running.catch((error: { stdout: string; stderr: string }) => error);
  return stdout + stderr;
}

const alarm = /\[(alert|emerg|crit|error)\]/;

test("without any certificate a handshake is refused, and no line of alarm is written", async () => {
  await expect(presented("a.example")).rejects.toThrow(/alert handshake failure/);
  await expect(presented("")).rejects.toThrow(/alert handshake failure/);
  expect(node.log()).not.toMatch(alarm);
});

describe("with certificates", () => {
  beforeAll(async () => {
    const rejected = await node.apply([
      ...Object.entries(pairs).map(([name, pair]) => certificate(name.toLowerCase(), pair)),
      domain("a.example", ["exact", "exactrsa", "missing"]),
      domain("*.example", ["wildcard"]),
      domain("c.example", ["curve"]),
      domain("d.example", ["edwards"]),
      domain("*", ["standard"]),
      domain("plain.example", []),
      domain("gone.other", ["missing"]),
      pool("web"),
      slice("web", [{ port: backend.port }]),
      rule("a.example", "web", { more: { scheme: "https" } }),
    ]);
    expect(rejected).toEqual([]);
  });

  test.each([
    ["the name's own", "a.example", "CN=a.example"],
    ["the same in upper case", "A.ExAmPlE", "CN=a.example"],
    ["its wildcard's", "b.example", "CN=*.example"],
    ["a wildcard's where the name has none of its own", "plain.example", "CN=*.example"],
    ["the default for two labels below a wildcard", "x.b.example", "CN=default.invalid"],
    ["the default for another name", "elsewhere.test", "CN=default.invalid"],
    ["the default where what is listed is not there", "gone.other", "CN=default.invalid"],
    ["the default without a name", "", "CN=default.invalid"],
    ["another curve", "c.example", "CN=c.example"],
    ["a key of Edwards' curve", "d.example", "CN=d.example"],
  ])("%s", async (_, name, subject) => {
    expect(await presented(name)).toBe(subject);
  });

  test("RSA and ECDSA side by side: who asks for one gets it", async () => {
    const of = (sigalgs: string) => client("-servername", "a.example", "-sigalgs", sigalgs, "-tls1_2");
    expect(await of("RSA-PSS+SHA256:RSA+SHA256")).toMatch(/Peer signature type: RSA/);
    expect(await of("ECDSA+SHA256")).toMatch(/Peer signature type: ECDSA/);
  });

  test.each([
    ["1.2", "-tls1_2", /Protocol *: TLSv1\.2/],
    ["1.3", "-tls1_3", /New, TLSv1\.3/],
  ])("TLS %s is spoken", async (_, option, said) => {
    expect(await client("-servername", "a.example", option)).toMatch(said);
  });

  test("TLS 1.1 is refused, and so are weak ciphers", async () => {
    const weak = ["-servername", "a.example", "-cipher", "ALL:@SECLEVEL=0"];
    expect(await client(...weak, "-tls1_1")).toMatch(/alert protocol version/);
    const cbc = ["-servername", "a.example", "-tls1_2", "-cipher", "AES128-SHA:ECDHE-RSA-AES128-SHA:@SECLEVEL=0"];
    expect(await client(...cbc)).toMatch(/alert handshake failure/);
    expect(node.log()).not.toMatch(alarm);
  });

  test("the application hears how it was asked", async () => {
    const answer = await requestTls(node.ports.https, "a.example", "/x?y=1");
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toMatchObject({
      url: "/x?y=1",
      headers: { "x-forwarded-proto": "https", "x-forwarded-port": String(node.ports.https), host: "a.example" },
    });
  });

  describe("a session is resumed", () => {
    const join = async (version: "TLSv1.2" | "TLSv1.3", session?: Buffer) => {
      const target = { host: "127.0.0.1", port: node.ports.https, servername: "a.example", rejectUnauthorized: false };
      const versions = { minVersion: version, maxVersion: version };
      const socket = connect({ ...target, ...versions, ...(session === undefined ? {} : { session }) });
      const given = session === undefined ? once(socket, "session") : once(socket, "secureConnect");
      const [made] = (await given) as [Buffer | undefined];
      const reused = socket.isSessionReused();
      socket.destroy();
      return { made, reused };
    };
    const resume = async (version: "TLSv1.2" | "TLSv1.3") => {
      const { made } = await join(version);
      const again = await Promise.all(Array.from({ length: 8 }, () => join(version, made)));
      return again.filter(({ reused }) => reused).length;
    };

    test("by whichever worker", async () => {
      expect(await resume("TLSv1.2")).toBe(8);
      expect(await resume("TLSv1.3")).toBe(8);
    });

    test("after a reload, too", async () => {
      const made = [(await join("TLSv1.2")).made, (await join("TLSv1.3")).made];
      const before = childrenOf(node.masterPid);
      process.kill(node.masterPid, "SIGHUP");
      await vi.waitFor(() => expect(childrenOf(node.masterPid).filter((pid) => before.includes(pid))).toEqual([]), {
        timeout: 20_000,
      });
      const again = [await join("TLSv1.2", made[0]), await join("TLSv1.3", made[1])];
      expect(again.map(({ reused }) => reused)).toEqual([true, true]);
      expect(await presented("a.example")).toBe("CN=a.example");
    });
  });
});
