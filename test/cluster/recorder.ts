/** Takes whatever the apiserver sends to its webhooks, allows everything, and keeps it as it came. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { addAddress, removeAddress } from "./address.ts";
import { Authority } from "./authority.ts";

export interface Recorded {
  readonly path: string;
  readonly authorization: string;
  readonly body: unknown;
}

const address = "10.10.0.3";
const port = 9443;
/** Longer than a batch of audit events waits. */
const quietMs = 400;

export class Recorder {
  readonly recorded: Recorded[] = [];
  readonly url = `https://${address}:${port}`;
  readonly authority: string;
  readonly #folder = mkdtempSync(path.join(tmpdir(), "entrance-recorder-"));
  readonly #server: Server;

  private constructor() {
    const authority = new Authority(this.#folder, "recorder");
    this.authority = authority.pem();
    const { certificate, key } = authority.issue("/CN=recorder", [address]);
    this.#server = createServer(
      { cert: readFileSync(certificate), key: readFileSync(key) },
      async (request, response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        const body = JSON.parse(Buffer.concat(chunks).toString()) as { request?: { uid: string } };
        this.recorded.push({ path: request.url ?? "", authorization: request.headers.authorization ?? "", body });
        const { request: { uid } = { uid: "" } } = body;
        response.setHeader("content-type", "application/json");
        response.end(
          JSON.stringify({
            apiVersion: "admission.k8s.io/v1",
            kind: "AdmissionReview",
            response: { uid, allowed: true },
          }),
        );
      },
    );
  }

  static async start(): Promise<Recorder> {
    addAddress(address);
    const made = new Recorder();
    await new Promise<void>((resolve) => made.#server.listen(port, address, resolve));
    return made;
  }

  /** Nothing has come for a while. */
  async quiet(): Promise<void> {
    for (let before = -1; before !== this.recorded.length; await sleep(quietMs)) before = this.recorded.length;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    removeAddress(address);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
