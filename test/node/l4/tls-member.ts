// A member that ends TLS itself, with a certificate of its own; what stands before the handshake it keeps.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { makeCertificate } from "../../harness/certificate.ts";

export interface TlsMember {
  readonly port: number;
  /** The line of the PROXY protocol that each connection began with, or "". */
  readonly introductions: () => readonly string[];
  [Symbol.asyncDispose](): Promise<void>;
}

const TLS_HANDSHAKE = 22;

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Says `NAME at SNI` to whoever shakes hands. In front stands a socket that takes the introduction off. */
export async function tlsMember(name: string): Promise<TlsMember> {
  const { chain, key } = makeCertificate([`${name}.member.example`]);
  const introductions: string[] = [];
  const sockets = new Set<Socket>();
  const inner = createTlsServer({ cert: chain, key }, (socket) => {
    socket.on("error", () => socket.destroy());
    const asked: unknown = "servername" in socket ? socket.servername : undefined;
    socket.end(`${name} at ${typeof asked === "string" ? asked : "nobody"}\n`);
  });
  const innerPort = await listen(inner);
  const server = createServer((socket) => {
    const onward = connect(innerPort, "127.0.0.1");
    const ends: [Socket, Socket][] = [
      [socket, onward],
      [onward, socket],
    ];
    for (const [each, other] of ends) {
      sockets.add(each);
      each.on("close", () => {
        sockets.delete(each);
        other.end();
      });
      each.on("error", () => each.destroy());
    }
    socket.once("data", (data: Buffer) => {
      const end = data[0] === TLS_HANDSHAKE ? 0 : data.indexOf("\r\n") + 2;
      introductions.push(data.subarray(0, end).toString("latin1"));
      if (end < data.length) onward.write(data.subarray(end));
      socket.pipe(onward);
      onward.pipe(socket);
    });
  });
  return {
    port: await listen(server),
    introductions: () => introductions,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      const closed = [once(server, "close"), once(inner, "close")];
      server.close();
      inner.close();
      await Promise.all(closed);
    },
  };
}
