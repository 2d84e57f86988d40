/** HTTP/1.1 on one connection, with as little work as possible: what is measured is the server. */
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

export interface Reply {
  readonly status: number;
  readonly text: string;
}

export class Connection {
  readonly #socket: Socket;
  #received = "";
  #wanted: { resolve: (reply: Reply) => void; reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", (error) => this.#wanted?.reject(error));
    socket.on("close", () => this.#wanted?.reject(new Error("the server closed the connection")));
  }

  static open(port: number, isTls = false): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const target = { port, host: "127.0.0.1" };
      const socket = isTls ? connectTls({ ...target, rejectUnauthorized: false }) : connect(target);
      socket.once("error", reject);
      socket.once(isTls ? "secureConnect" : "connect", () => {
        socket.off("error", reject);
        resolve(new Connection(socket));
      });
    });
  }

  get(host: string, headers = ""): Promise<Reply> {
    return this.#exchange(`GET / HTTP/1.1\r\nHost: ${host}\r\n${headers}\r\n`);
  }

  post(path: string, key: string, body: string): Promise<Reply> {
    const head = `POST ${path} HTTP/1.1\r\nHost: node\r\nAuthorization: Bearer ${key}\r\n`;
    return this.#exchange(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  close(): void {
    this.#socket.destroy();
  }

  #exchange(text: string): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#wanted = { resolve, reject };
      this.#socket.write(text);
    });
  }

  /** Answers have a Content-Length, all of them. */
  #take(chunk: Buffer): void {
    this.#received += chunk.toString("latin1");
    const end = this.#received.indexOf("\r\n\r\n");
    if (end < 0) return;
    const length = Number(/\r\ncontent-length: ([0-9]+)/i.exec(this.#received.slice(0, end))?.[1]);
    if (this.#received.length < end + 4 + length) return;
    const reply = { status: Number(this.#received.slice(9, 12)), text: this.#received.slice(end + 4) };
    this.#received = "";
    const wanted = this.#wanted;
    this.#wanted = undefined;
    wanted?.resolve(reply);
  }
}
