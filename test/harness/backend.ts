// A small application to route to: says its name and what it was sent, and can be slow, break, or hold a WebSocket.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocketServer } from "ws";

export interface Echo {
  readonly name: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Backend {
  readonly name: string;
  readonly port: number;
  readonly requests: () => number;
  /** Connections taken so far. */
  readonly connections: () => number;
  readonly close: () => Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** /slow?chunks=N&everyMs=M: N chunks of 1 KiB, M ms apart. */
async function drip(outgoing: ServerResponse, url: URL): Promise<void> {
  const chunks = Number(url.searchParams.get("chunks") ?? "10");
  const everyMs = Number(url.searchParams.get("everyMs") ?? "10");
  outgoing.writeHead(200, { "content-length": String(chunks * 1024) });
  for (let sent = 0; sent < chunks; sent++) {
    outgoing.write("x".repeat(1024));
    await sleep(everyMs);
  }
  outgoing.end();
}

/** /status/N answers N; /close breaks off before answering; everything else is echoed as JSON. */
async function answer(name: string, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const url = new URL(incoming.url ?? "/", "http://backend");
  const status = /^\/status\/(\d{3})$/.exec(url.pathname)?.[1];
  if (url.pathname === "/slow") return drip(outgoing, url);
  if (url.pathname === "/close") {
    incoming.socket.destroy();
    return undefined;
  }
  const { method = "", url: target = "", headers } = incoming;
  const echo = { name, method, url: target, headers, body: await readBody(incoming) };
  outgoing.writeHead(status === undefined ? 200 : Number(status), {
    "content-type": "application/json",
    "x-backend": name,
  });
  outgoing.end(JSON.stringify(echo));
  return undefined;
}

/** Listens on a free port of 127.0.0.1 (or the address and port given). WebSockets at any path are echoed. */
export async function startBackend(name: string, port = 0, address = "127.0.0.1"): Promise<Backend> {
  let requests = 0;
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer({ maxHeaderSize: 65_536 }, (incoming, outgoing) => {
    requests += 1;
    answer(name, incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.keepAliveTimeout = 60_000;
  server.on("connection", (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  const webSockets = new WebSocketServer({ server });
  webSockets.on("connection", (socket) => socket.on("message", (data) => socket.send(`${name}: ${String(data)}`)));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, resolve);
  });
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  const listening = server.address() as AddressInfo;
  return {
    name,
    port: listening.port,
    requests: () => requests,
    connections: () => connections,
    close,
    [Symbol.asyncDispose]: close,
  };
}
