/** How a process of Node stops serving: nobody who keeps connections, as the apiserver does, loses a request by it. */
import type { ServerType } from "@hono/node-server";

/** Longer than the apiserver keeps a connection that it does not use (90 s), so that it is never us who closes one. */
export const keepAliveMs = 120_000;

/** So long each answer closes its connection, before those are closed that nobody used meanwhile. */
const drainMs = 2_000;

/** Returns what ends it: `closed` follows when all that had begun is answered. `drains`: callers keep connections. */
export function ending(server: ServerType, drains: boolean): (closed: () => void) => void {
  let isEnding = false;
  server.prependListener("request", (_request, response) => {
    if (isEnding) response.setHeader("connection", "close");
  });
  return (closed) => {
    isEnding = true;
    const close = () => {
      server.close(closed);
      if ("closeIdleConnections" in server) server.closeIdleConnections();
    };
    if (drains) setTimeout(close, drainMs);
    else close();
  };
}
