// Members of pools for connections: they say their name, repeat what they hear, and keep it.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

export interface Member {
  readonly name: string;
  readonly port: number;
  /** What each connection or session sent so far, in the order of their beginnings. */
  readonly heard: () => readonly Buffer[];
  readonly connections: () => number;
  readonly close: () => Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Greets with `NAME\n`, unless told to be silent, and repeats what comes. */
export async function tcpMember(name: string, port = 0, options: { silent?: boolean } = {}): Promise<Member> {
  const heard: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const place = heard.push(Buffer.alloc(0)) - 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.on("data", (data: Buffer) => {
      heard[place] = Buffer.concat([heard[place] ?? Buffer.alloc(0), data]);
      socket.write(data);
    });
    if (options.silent !== true) socket.write(`${name}\n`);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    if (!server.listening) return;
    server.close();
    await once(server, "close");
  };
  return {
    name,
    port: (server.address() as AddressInfo).port,
    heard: () => heard,
    connections: () => heard.length,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Answers each datagram with `NAME:` and what it was, as often as its number of `+` says beside the first time. */
export async function udpMember(name: string, port = 0): Promise<Member> {
  const heard: Buffer[] = [];
  const socket = createSocket("udp4");
  let isOpen = true;
  socket.on("message", (data, from) => {
    heard.push(data);
    const times = 1 + data.toString().split("+").length - 1;
    for (let time = 0; time < times; time++) socket.send(`${name}:${data.toString()}`, from.port, from.address);
  });
  socket.bind(port, "127.0.0.1");
  await once(socket, "listening");
  const close = async () => {
    if (!isOpen) return;
    isOpen = false;
    socket.close();
    await once(socket, "close");
  };
  return {
    name,
    port: socket.address().port,
    heard: () => heard,
    connections: () => heard.length,
    close,
    [Symbol.asyncDispose]: close,
  };
}
