/**
 * The addresses of Services, in a network namespace of their own: a node of the tests takes port 443 of every address
 * of the machine, as kube-proxy's never are. Told by its parent what leads where.
 */
import { connect, createServer, type Server } from "node:net";
import { addAddress, removeAddress } from "./address.ts";

/** By `ADDRESS:PORT`: endpoints, `ADDRESS:PORT` each. */
export type ServiceTable = Readonly<Record<string, readonly string[]>>;

const servers = new Map<string, Server>();
let table: ServiceTable = {};
let turn = 0;

process.on("message", (message) => {
  table = message as ServiceTable;
  const addresses = new Set(Object.keys(table).map(addressOf));
  for (const [place, server] of servers) {
    if (place in table) continue;
    server.close();
    servers.delete(place);
    if (!addresses.has(addressOf(place))) removeAddress(addressOf(place));
  }
  for (const place of Object.keys(table)) {
    if (servers.has(place)) continue;
    addAddress(addressOf(place));
    servers.set(place, listen(place));
  }
});
process.on("disconnect", () => process.exit());
process.send?.("ready");

function listen(place: string): Server {
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const targets = table[place] ?? [];
    turn += 1;
    const target = targets[turn % targets.length];
    if (target === undefined) {
      client.destroy();
      return;
    }
    const upstream = connect({ host: addressOf(target), port: portOf(target), allowHalfOpen: true });
    client.on("error", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
    client.pipe(upstream).pipe(client);
  });
  server.on("error", (error) => console.error(`the Service at ${place}: ${error.message}`));
  return server.listen(portOf(place), addressOf(place));
}

function addressOf(place: string): string {
  return place.slice(0, place.lastIndexOf(":"));
}

function portOf(place: string): number {
  return Number(place.slice(place.lastIndexOf(":") + 1));
}
