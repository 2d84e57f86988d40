/** What ends TLS in front of an Entrance that has none, on an address that the apiserver reaches. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { addAddress, removeAddress } from "./address.ts";
import { Authority } from "./authority.ts";

const address = "10.10.0.4";
const port = 9443;

export class Front {
  readonly url = `https://${address}:${port}`;
  /** In base64, as webhooks name it. */
  readonly caBundle: string;
  readonly #server: Server;

  private constructor(server: Server, caBundle: string) {
    this.#server = server;
    this.caBundle = caBundle;
  }

  /** `to`: an http URL, without a path. */
  static async start(to: string): Promise<Front> {
    addAddress(address);
    const folder = mkdtempSync(path.join(tmpdir(), "entrance-front-"));
    const authority = new Authority(folder, "front");
    const { certificate, key } = authority.issue("/CN=front", [address]);
    const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", async () => {
        const { method = "POST", url = "/" } = request;
        try {
          const headers = { "content-type": request.headers["content-type"] ?? "application/json" };
          const answer = await fetch(to + url, { method, headers, body: Buffer.concat(chunks) });
          response.writeHead(answer.status, { "content-type": "application/json" }).end(await answer.text());
        } catch {
          response.writeHead(502).end();
        }
      });
    });
    const caBundle = Buffer.from(authority.pem()).toString("base64");
    rmSync(folder, { recursive: true });
    await new Promise<void>((resolve) => server.listen(port, address, resolve));
    return new Front(server, caBundle);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    removeAddress(address);
  }
}
