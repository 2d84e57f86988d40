/** Stands before a server and loses what a network can lose: requests, answers, or only the patience for them. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export type Loss =
  | "none"
  /** What the client sends goes nowhere, and its connection is cut. */
  | "request"
  /** The server gets it, and the connection is cut in place of the answer. */
  | "answer"
  /** The client's connection is cut; the server gets it on {@link TcpProxy.release}. */
  | "held";

const heldMs = 30;

export class TcpProxy {
  readonly port: number;
  /** After a lost answer, before the client hears that it is lost. */
  noticedAfterMs = 0;
  /** How often something was lost. */
  losses = 0;
  /** Decides what happens to the next piece that a client sends. */
  loss: () => Loss = () => "none";
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #held: (() => void)[] = [];

  private constructor(server: Server, target: number) {
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
    server.on("connection", (client) => this.#join(client, target));
  }

  static async start(target: number): Promise<TcpProxy> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new TcpProxy(server, target);
  }

  /** Once, then nothing is lost any more. */
  loseNext(loss: Loss): void {
    this.loss = () => {
      this.loss = () => "none";
      return loss;
    };
  }

  /** The server gets what was held. */
  release(): void {
    const held = this.#held;
    this.#held = [];
    for (const send of held) send();
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(client: Socket, target: number): void {
    const server = connect(target, "127.0.0.1");
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
      socket.on("close", () => this.#sockets.delete(socket));
    }
    let fate: Loss = "none";
    client.on("data", (piece) => {
      if (fate === "none") {
        fate = this.loss();
        if (fate !== "none") this.losses += 1;
        // What belongs to the same request comes in the same moment.
        if (fate === "held") setTimeout(() => client.destroy(), heldMs);
        if (fate === "request") client.destroy();
      }
      if (fate === "held") this.#held.push(() => server.write(piece));
      else if (fate !== "request") server.write(piece);
    });
    server.on("data", (piece) => {
      if (fate === "answer") setTimeout(() => client.destroy(), this.noticedAfterMs);
      else if (fate !== "held") client.write(piece);
    });
    // The server's side stays open for what it still works on.
    client.on("close", () => {
      if (fate === "none" || fate === "request") server.destroy();
    });
    server.on("close", () => client.destroy());
  }
}
