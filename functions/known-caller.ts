/** Callers whom a certificate makes known, where the server trusts ENTRANCE_CLIENT_CA for that and nobody else. */
import { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";

/** `environment`: what the server hands over with a request. */
export function isKnownCaller(environment: unknown): boolean {
  if (typeof environment !== "object" || environment === null || !("incoming" in environment)) return false;
  const { incoming } = environment;
  if (!(incoming instanceof IncomingMessage) || !(incoming.socket instanceof TLSSocket)) return false;
  if (!incoming.socket.authorized) return false;
  // A handshake looks at the time once; a connection that is kept, or a session taken up again, outlives it.
  const certificate = incoming.socket.getPeerX509Certificate();
  return certificate !== undefined && certificate.validToDate.getTime() > Date.now();
}
