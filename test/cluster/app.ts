/**
 * An application of the tests, as a pod runs it: it says which pod it is, by HTTP, TCP or UDP (APP_KIND), at APP_PORT of
 * the pod's own address. On SIGTERM it ends what was begun, as a well-behaved one does.
 */
import { createSocket } from "node:dgram";
import { createServer as createHttp } from "node:http";
import { createServer as createTcp } from "node:net";

const { APP_KIND: kind = "http", APP_PORT: port = "8080", POD_IP: host = "", HOSTNAME: pod = "" } = process.env;
const drainMs = Number(process.env["APP_DRAIN_MS"] ?? 0);

switch (kind) {
  case "http": {
    const server = createHttp((request, response) => {
      const { method = "", url = "", headers } = request;
      response.writeHead(200, { "content-type": "application/json", "x-pod": pod });
      response.end(JSON.stringify({ pod, method, url, headers, app: process.env["APP_NAME"] ?? "" }));
    });
    server.keepAliveTimeout = 60_000;
    server.listen(Number(port), host);
    // Until everybody knows that it is going, it still answers.
    process.on("SIGTERM", () => setTimeout(() => server.close(() => process.exit(0)), drainMs));
    break;
  }
  case "tcp": {
    const server = createTcp((socket) => {
      socket.on("error", () => socket.destroy());
      socket.write(`${pod}\n`);
      socket.pipe(socket);
    });
    server.listen(Number(port), host);
    break;
  }
  case "udp": {
    const socket = createSocket("udp4");
    socket.on("message", (message, from) => socket.send(`${pod} ${message}`, from.port, from.address));
    socket.bind(Number(port), host);
    break;
  }
  default:
    throw new Error(`APP_KIND must be http, tcp or udp, not ${kind}`);
}
