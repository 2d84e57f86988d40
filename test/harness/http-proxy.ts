/** Stands before an HTTP server and answers in its place whatever a test has asked for. */
import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Seen {
  readonly target: string;
  readonly body: string;
}

export class HttpProxy {
  readonly url: string;
  readonly port: number;
  /** All requests that came, in their order. */
  seen: Seen[] = [];
  /** What is answered instead; undefined: the server is asked. */
  reply: (seen: Seen) => Reply | undefined = () => undefined;
  readonly #server: Server;

  private constructor(server: Server, target: number) {
    this.port = (server.address() as AddressInfo).port;
    this.url = `http://127.0.0.1:${this.port}`;
    this.#server = server;
    server.on("request", async (incoming, outgoing) => {
      const body = await buffer(incoming);
      const seen = { target: String(incoming.headers["x-amz-target"] ?? ""), body: body.toString() };
      this.seen.push(seen);
      const reply = this.reply(seen);
      if (reply !== undefined) {
        const headers = { "content-type": "application/x-amz-json-1.0", ...reply.headers };
        outgoing.writeHead(reply.status, headers).end(JSON.stringify(reply.body));
        return;
      }
      const { method, url: path, headers } = incoming;
      const onward = request({ port: target, host: "127.0.0.1", method, path, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      onward.on("error", () => outgoing.destroy());
      onward.end(body);
    });
  }

  static async start(target: number): Promise<HttpProxy> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new HttpProxy(server, target);
  }

  /** So many times, then the server is asked again. */
  replyTimes(times: number, reply: Reply): void {
    let left = times;
    this.reply = () => {
      left -= 1;
      return left >= 0 ? reply : undefined;
    };
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
