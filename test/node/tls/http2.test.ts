// HTTP/2 and WebSockets over TLS.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { type ClientHttp2Session, connect, constants, type OutgoingHttpHeaders } from "node:http2";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { Echo } from "../../harness/backend.ts";
import { makeCertificate } from "../../harness/certificate.ts";
import { freePorts } from "../../harness/free-ports.ts";
import { type FilteredNode, startFiltered } from "../filtered.ts";
import { certificate, domain, pool, rule, slice } from "../values.ts";

const run = promisify(execFile);
let its: FilteredNode;
let session: ClientHttp2Session;

beforeAll(async () => {
  its = await startFiltered();
  const [closed = 0] = await freePorts(1);
  await its.node.apply([
    certificate("any", makeCertificate(["*.example"])),
    domain("*", ["any"]),
    rule("plain.example", "web", { more: { scheme: "https" } }),
    pool("flaky"),
    slice("flaky", [{ port: closed }, { port: its.backend.port }]),
    rule("flaky.example", "flaky", { more: { scheme: "https" } }),
    rule("limited.example", "web", {
      more: { scheme: "https", filters: [{ type: "BodyLimit", bodyLimit: { maxBytes: 10 } }] },
    }),
  ]);
});
afterAll(async () => {
  expect(its.faults).toEqual([]);
  await its[Symbol.asyncDispose]();
});
beforeEach(() => {
  session = connect(`https://127.0.0.1:${its.node.ports.https}`, {
    servername: "a.example",
    rejectUnauthorized: false,
  });
  session.on("error", () => undefined);
});
afterEach(() => session.destroy());

interface Http2Answer {
  readonly status: number;
  readonly text: string;
}

/** Headers as given, and a body without content-length unless they tell it; without a body the stream ends at once. */
async function ask(headers: OutgoingHttpHeaders, body?: string): Promise<Http2Answer> {
  const stream = session.request({ ":authority": "plain.example", ...headers }, { endStream: body === undefined });
  const answered = once(stream, "response");
  if (body !== undefined) stream.end(body);
  const [got] = (await answered) as [Record<string, unknown>];
  let text = "";
  for await (const chunk of stream.setEncoding("utf8")) text += chunk;
  return { status: Number(got[":status"]), text };
}

const echoOf = ({ text }: Http2Answer): Echo => JSON.parse(text) as Echo;
const large = "l".repeat(300_000);

test("curl speaks it", async () => {
  const options = ["-sk", "--http2", "--resolve", `plain.example:${its.node.ports.https}:127.0.0.1`];
  const url = `https://plain.example:${its.node.ports.https}/x`;
  const { stdout } = await run("curl", [...options, "-w", "\n%{http_version} %{http_code}", "-d", "body", url]);
  expect(stdout).toMatch(/"method":"POST","url":"\/x".*"body":"body"\}\n2 200$/s);
});

describe("bodies", () => {
  test.each(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])("%s, none", async (method) => {
    const echo = echoOf(await ask({ ":method": method, ":path": "/p" }));
    expect([echo.method, echo.body, echo.headers["transfer-encoding"]]).toEqual([method, "", undefined]);
  });

  test.each(["GET", "POST", "PUT", "DELETE", "PATCH"])("%s, of told and untold length", async (method) => {
    for (const body of ["small", large]) {
      expect(echoOf(await ask({ ":method": method }, body)).body).toBe(body);
      expect(echoOf(await ask({ ":method": method, "content-length": body.length }, body)).body).toBe(body);
    }
  });

  test("what was begun is not sent again to another member", async () => {
    const statuses = new Set<number>();
    for (let time = 0; time < 20; time += 1) {
      // Streams beyond what is read beforehand.
      const answer = await ask({ ":authority": "flaky.example", ":method": "GET" }, large);
      statuses.add(answer.status);
      if (answer.status === 200) expect(echoOf(answer).body).toBe(large);
    }
    expect([...statuses].every((status) => status === 200 || status === 502)).toBe(true);
    for (let time = 0; time < 20; time += 1) {
      expect((await ask({ ":authority": "flaky.example" })).status).toBe(200);
    }
  });

  test("a rule that limits them", async () => {
    const limited = (method: string, body?: string, more: OutgoingHttpHeaders = {}) =>
      ask({ ":authority": "limited.example", ":method": method, ...more }, body);
    for (const method of ["GET", "HEAD", "DELETE", "OPTIONS"]) expect((await limited(method)).status).toBe(200);
    expect((await limited("POST", "short", { "content-length": 5 })).status).toBe(200);
    expect((await limited("POST", large, { "content-length": large.length })).status).toBe(413);
    expect((await limited("POST", large)).status).toBe(411);
    expect((await limited("GET", large)).status).toBe(411);
    // What such a body would mean is not defined: it goes no further.
    expect(echoOf(await limited("DELETE", large)).body).toBe("");
  });
});

describe("headers", () => {
  test("as large as by HTTP/1.1", async () => {
    const cookie = "c".repeat(30_000);
    expect(echoOf(await ask({ cookie })).headers["cookie"]).toBe(cookie);
    expect((await ask({ cookie: "c".repeat(600_000) }).catch(() => ({ status: 0 }))).status).not.toBe(200);
  });

  test("the authority is the host", async () => {
    expect(echoOf(await ask({ ":authority": "plain.example:10443" })).headers).toMatchObject({
      host: "plain.example:10443",
      "x-forwarded-host": "plain.example:10443",
      "x-forwarded-proto": "https",
    });
    expect((await ask({ ":authority": "nobody.example" })).status).toBe(404);
  });

  test("two that differ are refused, or one counts: never one here and the other behind", async () => {
    const answer = await ask({ ":authority": "plain.example", host: "limited.example" }).catch(() => undefined);
    if (answer?.status === 200) expect(echoOf(answer).headers["host"]).toBe("plain.example");
  });
});

describe("streams", () => {
  test("300 at once on one connection", async () => {
    const paths = Array.from({ length: 300 }, (_, number) => `/${number}`);
    const answers = await Promise.all(paths.map((path) => ask({ ":path": path })));
    expect(answers.map((answer) => echoOf(answer).url)).toEqual(paths);
    expect(session.remoteSettings.maxConcurrentStreams).toBe(128);
  });

  test("given up again and again: others are answered", async () => {
    for (let round = 0; round < 30; round += 1) {
      for (let each = 0; each < 60; each += 1) {
        const stream = session.request({ ":authority": "plain.example", ":path": "/slow?chunks=3" });
        stream.on("error", () => undefined);
        stream.close(constants.NGHTTP2_CANCEL);
      }
      await new Promise(setImmediate);
    }
    const fresh = connect(`https://127.0.0.1:${its.node.ports.https}`, { rejectUnauthorized: false });
    session.destroy();
    session = fresh;
    expect((await ask({})).status).toBe(200);
  });
});

test("a WebSocket by TLS", async () => {
  const socket = new WebSocket(`wss://127.0.0.1:${its.node.ports.https}/`, {
    headers: { host: "plain.example" },
    rejectUnauthorized: false,
  });
  await once(socket, "open");
  socket.send("hello");
  const [said] = (await once(socket, "message")) as [Buffer];
  expect(String(said)).toBe("web: hello");
  socket.close();
});
