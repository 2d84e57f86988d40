/** One HTTPS request on a connection of its own: under which name, and which certificate and protocol it was given. */
import { X509Certificate } from "node:crypto";
import { request as httpsRequest } from "node:https";
import type { TLSSocket } from "node:tls";
import type { Answer, RequestOptions } from "./node.ts";

export interface TlsAnswer extends Answer {
  /** What the node presented. */
  readonly certificate: X509Certificate;
  readonly tls: string;
}

export interface TlsOptions extends RequestOptions {
  /** The name in the handshake; the host's unless given, and none when it is empty. */
  readonly servername?: string;
}

export function requestTls(port: number, host: string, path = "/", options: TlsOptions = {}): Promise<TlsAnswer> {
  return new Promise((resolve, reject) => {
    const { method = "GET", headers = {}, body, timeoutMs = 30_000, servername = host.replace(/:\d+$/, "") } = options;
    const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
    const outgoing = httpsRequest(
      {
        host: "127.0.0.1",
        port,
        path,
        method,
        headers: { ...length, host, ...headers },
        agent: false,
        servername,
        rejectUnauthorized: false,
      },
      (incoming) => {
        const socket = incoming.socket as TLSSocket;
        const certificate = new X509Certificate(socket.getPeerCertificate().raw);
        const tls = socket.getProtocol() ?? "";
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("error", reject);
        incoming.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, certificate, tls });
        });
      },
    );
    outgoing.setTimeout(timeoutMs, () => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
