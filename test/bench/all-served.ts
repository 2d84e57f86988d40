/** Until a node serves many hosts: all are asked for on one connection, so that asking takes little of what is measured. */
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const withinMs = 30_000;
const pollMs = 5;

/** How many answers were wrong until there was no other than 200. The last host is waited for before all are asked for. */
export async function allServed(port: number, hosts: readonly string[]): Promise<number> {
  let wrong = 0;
  for (let left: readonly string[] = hosts.slice(-1); left.length > 0; left = await ask(left)) await sleep(pollMs);
  for (let left = await ask(hosts); left.length > 0; left = await ask(left)) await sleep(pollMs);
  return wrong;

  async function ask(asked: readonly string[]): Promise<readonly string[]> {
    const statuses = await askAll(port, asked);
    wrong += statuses.filter((status) => status !== 200 && status !== 404).length;
    return asked.filter((_, place) => statuses[place] !== 200);
  }
}

/** The statuses of their answers, in order. An answer to HEAD has no body, so its head is all of it. */
async function askAll(port: number, hosts: readonly string[]): Promise<readonly number[]> {
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
