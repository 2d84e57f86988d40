/** A sample application: answers in one line of text, and echoes what comes over a WebSocket. */
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const server = createServer((request, response) => {
  const { method, url, headers } = request;
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.end(`shop 1.0: ${method} ${url} at ${headers.host}, for ${headers["x-forwarded-for"] ?? "nobody"}\n`);
});

const sockets = new WebSocketServer({ server });
sockets.on("connection", (socket) => socket.on("message", (data) => socket.send(`shop heard: ${data}`)));

server.listen(Number(process.env["PORT"]), "127.0.0.1");
