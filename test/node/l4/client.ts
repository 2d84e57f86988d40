// Clients of ports for connections: what a plain socket sends, and what comes back.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

const WAIT_MS = 5_000;

export interface Held {
  readonly socket: Socket;
  /** Everything that came so far. */
  readonly text: () => string;
  readonly isClosed: () => boolean;
  /** Sends, and waits until all that came ends with this. */
  readonly ask: (text: string) => Promise<string>;
  readonly until: (found: (text: string) => boolean) => Promise<string>;
}

/** A connection that stays open. */
export async function hold(port: number, host = "127.0.0.1", localAddress?: string): Promise<Held> {
  const socket = connect({ port, host, ...(localAddress === undefined ? {} : { localAddress }) });
  let text = "";
  let closed = false;
  const wake = new Set<() => void>();
  const tell = () => {
    for (const each of wake) each();
  };
  socket.on("data", (data) => {
    text += data.toString("latin1");
    tell();
  });
  socket.on("error", tell);
  socket.on("close", () => {
    closed = true;
    tell();
  });
  await once(socket, "connect");
  const until = (found: (text: string) => boolean) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        if (found(text)) resolve(text);
        else if (closed) reject(new Error(`the connection was closed after ${JSON.stringify(text)}`));
        else return;
        wake.delete(look);
        clearTimeout(timer);
      };
      const timer = setTimeout(() => {
        wake.delete(look);
        reject(new Error(`nothing more came after ${JSON.stringify(text)}`));
      }, WAIT_MS);
      wake.add(look);
      look();
    });
  const ask = async (more: string) => {
    socket.write(more);
    return until((all) => all.endsWith(more));
  };
  return { socket, text: () => text, isClosed: () => closed, ask, until };
}

/** The first line that comes on a new connection; "" when it is closed without one. */
export async function greeting(port: number, host = "127.0.0.1", localAddress?: string): Promise<string> {
  const held = await hold(port, host, localAddress);
  try {
    return (await held.until((text) => text.includes("\n"))).split("\n")[0] ?? "";
  } catch (error) {
    if (held.isClosed()) return held.text();
    throw error;
  } finally {
    held.socket.destroy();
  }
}

/** How often each member greets. */
export async function greetings(port: number, count: number): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (let time = 0; time < count; time++) {
    const name = await greeting(port);
    found[name] = (found[name] ?? 0) + 1;
  }
  return found;
}

/** One datagram from a socket of its own, and the answers that come, as many as wanted or until the time is over. */
export async function datagram(port: number, text: string, wanted = 1, waitMs = WAIT_MS): Promise<string[]> {
  const socket = createSocket("udp4");
  const answers: string[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, waitMs);
      socket.on("error", reject);
      socket.on("message", (data) => {
        answers.push(data.toString());
        if (answers.length < wanted) return;
        clearTimeout(timer);
        resolve();
      });
      socket.send(text, port, "127.0.0.1");
    });
  } finally {
    socket.close();
  }
  return answers;
}
