/** What the guide's sample runs of Kubernetes' own test image: `agnhost serve-hostname`, by HTTP, TCP or UDP. */
import { createSocket } from "node:dgram";
import { createServer as createHttp } from "node:http";
import { createServer as createTcp } from "node:net";
import { parseArgs } from "node:util";

const flag = { type: "string" } as const;
const { values } = parseArgs({ allowPositionals: true, options: { http: flag, tcp: flag, udp: flag, port: flag } });
const port = Number(values.port ?? 9376);
// A pod of a real cluster has a network of its own.
const { STAND_IN_POD_IP: host = "", HOSTNAME: name = "" } = process.env;

if (values.http !== "false") createHttp((_, response) => response.end(name)).listen(port, host);
if (values.tcp === "true") createTcp((socket) => socket.end(name)).listen(port, host);
if (values.udp === "true") {
  const socket = createSocket("udp4");
  socket.on("message", (_, from) => socket.send(name, from.port, from.address));
  socket.bind(port, host);
}
