/** Connections that are held while everything around them changes: each talks now and then, and none may be dropped. */
import { connect, createServer, type Server, type Socket } from "node:net";
import WebSocket from "ws";

export interface Held {
  /** Sends something and waits until it has come back. Rejects when the connection is gone or says nothing. */
  talk(): Promise<void>;
  close(): void;
}

const answersWithinMs = 20_000;

function within<T>(work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} says nothing`)), answersWithinMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

export async function holdWebSocket(url: string, host: string): Promise<Held> {
  const options = { headers: { host }, servername: host, rejectUnauthorized: false };
  const socket = new WebSocket(url, options);
  let wakes: (() => void)[] = [];
  let fault: Error | undefined;
  socket.on("message", () => {
    for (const wake of wakes.splice(0)) wake();
  });
  socket.on("error", (error) => {
    fault = error;
  });
  socket.on("close", (code) => {
    fault ??= new Error(`a WebSocket was closed: ${code}`);
    for (const wake of wakes.splice(0)) wake();
  });
  await within(new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject)), url);
  return {
    async talk() {
      if (fault !== undefined) throw fault;
      const heard = new Promise<void>((resolve) => {
        wakes.push(resolve);
      });
      socket.send("hello");
      await within(heard, "a WebSocket");
      if (fault !== undefined) throw fault;
    },
    close: () => {
      wakes = [];
      socket.terminate();
    },
  };
}

export async function holdTcp(port: number): Promise<Held> {
  const socket = connect(port, "127.0.0.1");
  let fault: Error | undefined;
  let wakes: (() => void)[] = [];
  const wake = () => {
    for (const each of wakes.splice(0)) each();
  };
  socket.on("data", wake);
  socket.on("error", (error) => {
    fault = error;
  });
  socket.on("close", () => {
    fault ??= new Error("a TCP connection was closed");
    wake();
  });
  const talk = async () => {
    if (fault !== undefined) throw fault;
    const heard = new Promise<void>((resolve) => {
      wakes.push(resolve);
    });
    socket.write("hello\n");
    await within(heard, "a TCP connection");
    if (fault !== undefined) throw fault;
  };
  // The node takes a connection before it has one to a member: only an answer says that it is held.
  await talk();
  return {
    talk,
    close: () => {
      wakes = [];
      socket.destroy();
    },
  };
}

/** Sends back what it is sent. */
export async function startEcho(): Promise<{ port: number; close: () => void }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("an echo has a port");
  return {
    port: address.port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
