// What no well-behaved client sends to the port for HTTPS: others are served, nothing crashes, nothing raises an alarm.
import { once } from "node:events";
import { connect as connectPlain, type Socket } from "node:net";
import { connect } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeCertificate } from "../../harness/certificate.ts";
import { requestTls } from "../../harness/https.ts";
import { type FilteredNode, startFiltered } from "../filtered.ts";
import { certificate, domain, rule } from "../values.ts";

let its: FilteredNode;
beforeAll(async () => {
  its = await startFiltered();
  await its.node.apply([
    certificate("any", makeCertificate(["*.example"])),
    domain("*", ["any"]),
    rule("a.example", "web", { more: { scheme: "https" } }),
  ]);
});
afterAll(async () => {
  // nginx's own word for a hello that makes no sense.
  expect(its.faults.filter((line) => !line.includes("[crit]") || !line.includes("SSL_do_handshake()"))).toEqual([]);
  await its[Symbol.asyncDispose]();
});

async function serves(): Promise<void> {
  expect((await requestTls(its.node.ports.https, "a.example")).status).toBe(200);
}

const u16 = (number: number): number[] => [number >> 8, number & 255];
const block = (bytes: readonly number[] | Buffer): number[] => [...u16(bytes.length), ...bytes];

/** A ClientHello of TLS 1.2 whose server_name extension holds these bytes, in records of at most 16 KiB. */
function hello(name: Buffer, kind = 0): Buffer {
  const extension = [...u16(0), ...block(block([kind, ...block(name)]))];
  const suites = [0xc0, 0x2f, 0xc0, 0x2b];
  const rest = [3, 3, ...Buffer.alloc(32, 7), 0, ...block(suites), 1, 0, ...block(extension)];
  const message = Buffer.from([1, 0, ...u16(rest.length & 0xffff), ...rest]);
  message[1] = rest.length >> 16;
  const records: Buffer[] = [];
  for (let from = 0; from < message.length; from += 16_384) {
    const part = message.subarray(from, from + 16_384);
    records.push(Buffer.from([22, 3, 1, ...u16(part.length)]), part);
  }
  return Buffer.concat(records);
}

/** Sends bytes and waits until the server closes, or says something. */
async function send(bytes: Buffer): Promise<Buffer> {
  const socket = connectPlain(its.node.ports.https, "127.0.0.1");
  socket.on("error", () => undefined);
  const said: Buffer[] = [];
  socket.on("data", (chunk) => {
    said.push(chunk);
    socket.end();
  });
  const closed = once(socket, "close");
  socket.write(bytes);
  await closed;
  return Buffer.concat(said);
}

test.each<[string, Buffer]>([
  ["64 KB", Buffer.alloc(65_000, 97)],
  ["255 bytes", Buffer.alloc(255, 97)],
  ["256 bytes", Buffer.alloc(256, 97)],
  ["NULs", Buffer.from("a.exa\0mple")],
  ["no UTF-8", Buffer.from([0xff, 0xfe, 0x80, 0xc3, 0x28])],
  ["line breaks and quotes", Buffer.from('a"\r\n;}\n$(reboot)`')],
  ["a Lua pattern", Buffer.from("%d+[^a](.-)%f[%w]")],
  ["dots", Buffer.from("...")],
  ["a wildcard", Buffer.from("*.example")],
  ["a star", Buffer.from("*")],
  ["spaces", Buffer.from("   ")],
  ["nothing", Buffer.alloc(0)],
])("a name of %s", async (_, name) => {
  expect([21, 22]).toContain((await send(hello(name)))[0]); // an alert, or the handshake goes on
  await serves();
});

test("another kind of name", async () => {
  await send(hello(Buffer.from("a.example"), 7));
  await serves();
});

test("no TLS at all", async () => {
  const said = await send(Buffer.from("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"));
  expect(said.toString()).toContain("400 The plain HTTP request was sent to HTTPS port");
  for (let round = 0; round < 50; round += 1) {
    const noise = Buffer.from(Array.from({ length: 200 }, (_, at) => (at * 31 + round * 17) & 255));
    const socket = connectPlain(its.node.ports.https, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.resume();
    socket.end(noise);
    await once(socket, "close");
  }
  await serves();
});

test("handshakes that stop half way, or whose socket is closed at once: others don't wait", async () => {
  const whole = hello(Buffer.from("a.example"));
  const halves: Socket[] = [];
  for (let number = 0; number < 300; number += 1) {
    const socket = connectPlain(its.node.ports.https, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.on("data", () => undefined);
    if (number % 3 === 0) socket.write(whole, () => socket.resetAndDestroy());
    else socket.write(whole.subarray(0, 1 + (number % whole.length)));
    halves.push(socket);
  }
  await Promise.all(Array.from({ length: 20 }, serves));
  for (const socket of halves) socket.destroy();
  const rude = Array.from({ length: 100 }, () => {
    const socket = connect({ port: its.node.ports.https, servername: "a.example", rejectUnauthorized: false });
    socket.on("error", () => undefined);
    return socket;
  });
  await Promise.all(rude.map((socket) => once(socket, "secureConnect")));
  for (const socket of rude) socket.destroy();
  await serves();
});
