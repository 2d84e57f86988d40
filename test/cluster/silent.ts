/** Whoever takes calls and never answers them, as where a network swallows what is sent. */
import { createServer, type Server, type Socket } from "node:net";
import { addAddress, removeAddress } from "./address.ts";

const address = "10.10.0.5";
const port = 9443;

export class Silent {
  readonly url = `https://${address}:${port}/admission`;
  /** So many connections it has taken. */
  calls = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((socket) => {
      this.calls += 1;
      this.#sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(): Promise<Silent> {
    addAddress(address);
    const made = new Silent();
    await new Promise<void>((resolve) => made.#server.listen(port, address, resolve));
    return made;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    removeAddress(address);
  }
}
