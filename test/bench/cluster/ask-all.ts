/** Many hosts are asked for on one connection, without a wait in between: what asks takes little of what is measured. */
import { once } from "node:events";
import { connect } from "node:net";

const withinMs = 30_000;

/** The statuses of their answers, in order. An answer to HEAD has no body, so its head is all of it. */
export async function askAll(port: number, hosts: readonly string[]): Promise<readonly number[]> {
  const socket = connect(port, "127.0.0.1").setTimeout(withinMs, () => socket.destroy(new Error("no answer")));
  try {
    await once(socket, "connect");
    socket.write(hosts.map((host) => `HEAD / HTTP/1.1\r\nHost: ${host}\r\n\r\n`).join(""));
    const statuses: number[] = [];
    let rest = "";
    for await (const chunk of socket) {
      const heads = (rest + String(chunk)).split("\r\n\r\n");
      rest = heads.pop() ?? "";
      statuses.push(...heads.map((head) => Number(head.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length))));
      if (statuses.length === hosts.length) return statuses;
    }
    throw new Error("the node has closed the connection");
  } finally {
    socket.destroy();
  }
}
