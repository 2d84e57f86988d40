/** Bytes on a node's ports for applications that no well-behaved client sends. */
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { oneOf, type Roll } from "./words.ts";

const waitMs = 300;
const maxAnswer = 65_536;

/** Sends and gives what came back, as text; the connection is cut off after a while whatever happens. */
function exchange(port: number, bytes: string | Buffer, waitsMs = waitMs): Promise<string> {
  return new Promise((resolve) => {
    let heard = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    const timer = setTimeout(() => socket.destroy(), waitsMs);
    socket.on("data", (chunk: Buffer) => {
      if (heard.length < maxAnswer) heard += chunk.toString("latin1");
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(heard);
    });
  });
}

/** As bytes that a request line or a header may be made of, whatever nginx thinks of them. */
function raw(text: string): Buffer {
  return Buffer.from(text, "utf8");
}

function hostileHttp(roll: Roll, words: readonly string[]): string | Buffer {
  const word = oneOf(roll, words);
  const host = oneOf(roll, ["bystander.example", word, "", `${word}.example`, "a".repeat(3_000), "[::1", "*.example"]);
  const line = `${oneOf(roll, ["GET", "POST", "PUT", "\u0000", "A".repeat(100), "PRI", word])} /${word} HTTP/1.1`;
  const headers = [
    `X-Any: ${word}`,
    `X-Big: ${"b".repeat(40_000)}`,
    "Transfer-Encoding: chunked",
    "Content-Length: 5\r\nTransfer-Encoding: chunked",
    "Content-Length: 5\r\nContent-Length: 6",
    "Content-Length: -1",
    "Content-Length: 99999999999999999999",
    "Upgrade: websocket\r\nConnection: Upgrade",
    "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
    "Expect: 100-continue\r\nContent-Length: 1000000",
    `Cookie: ${`${word}=1; `.repeat(100)}`,
    `Authorization: Basic ${Buffer.from(word).toString("base64")}`,
    `X-Forwarded-For: ${word}`,
    `Origin: ${word}`,
    ...Array.from({ length: 1 }, () => `A: b\r\n`.repeat(2_000)),
  ];
  const body = oneOf(roll, [
    "",
    "5\r\nhello\r\n0\r\n\r\n",
    "zz\r\n",
    "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
  ]);
  const text = `${line}\r\nHost: ${host}\r\n${oneOf(roll, headers)}\r\n\r\n${body}`;
  return oneOf<string | Buffer>(roll, [
    raw(text),
    raw(text),
    raw(text.slice(0, roll(text.length))),
    raw(`GET / HTTP/1.0\r\n\r\n`),
    raw(`GET http://${word}/ HTTP/1.1\r\nHost: bystander.example\r\n\r\n`),
    Buffer.from("16030100a5010000a10303", "hex"),
    Buffer.concat([raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Buffer.alloc(100, roll(256))]),
    raw(`PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n${text}`),
    Buffer.alloc(1_000 + roll(5_000), roll(256)),
  ]);
}

/** A handshake that stops half way, offers nonsense, or is none at all. */
async function hostileTls(roll: Roll, port: number, words: readonly string[]): Promise<void> {
  const half = Buffer.from("160301020001000", "latin1");
  if (roll(2) === 0) {
    await exchange(
      port,
      oneOf(roll, [half, Buffer.alloc(500, 0x16), raw(oneOf(roll, words)), hostileHttp(roll, words)]),
    );
    return;
  }
  await new Promise<void>((resolve) => {
    const servername = oneOf(roll, ["bystander.example", "nobody.example", "a.b.c", "xn--a", "a".repeat(200)]);
    const socket = connectTls({ host: "127.0.0.1", port, servername, rejectUnauthorized: false }, () => {
      socket.write(hostileHttp(roll, words));
    });
    const timer = setTimeout(() => socket.destroy(), waitMs);
    socket.on("data", () => undefined);
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

export interface Outcome {
  /** Of an answer in HTTP; 0: there was none. */
  readonly status: number;
  /** What was sent, begun and in one line. */
  readonly sent: string;
}

export async function attackData(
  roll: Roll,
  ports: { readonly http: number; readonly https: number; readonly tcp: number; readonly udp: number },
  words: readonly string[],
): Promise<Outcome> {
  const which = roll(10);
  if (which < 6) {
    const bytes = hostileHttp(roll, words);
    const heard = await exchange(ports.http, bytes);
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(heard)?.[1] ?? 0);
    return { status, sent: JSON.stringify(bytes.toString("latin1").slice(0, 1_000)) };
  }
  if (which < 8) await hostileTls(roll, ports.https, words);
  else if (which < 9) await exchange(ports.tcp, hostileHttp(roll, words));
  else {
    const socket = createSocket("udp4");
    const bytes = Buffer.alloc(1 + roll(1_400), roll(256));
    await new Promise<void>((resolve) => socket.send(bytes, ports.udp, "127.0.0.1", () => resolve()));
    socket.close();
  }
  return { status: 0, sent: "" };
}
