/** Until a node serves many hosts: asked for on one connection and in their order, so that asking takes little of it all. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const withinMs = 30_000;
const pollMs = 20;
/** Asked for at once, when the first of them is served: a host that is not there yet costs the node a request too. */
const hostsAtOnce = 50;

/** How many answers were wrong until there was no other than 200. */
export async function allServed(port: number, hosts: readonly string[]): Promise<number> {
  const socket = connect(port, "127.0.0.1").setTimeout(withinMs, () => socket.destroy(new Error("no answer")));
  await once(socket, "connect");
  const answers = statusesOf(socket);
  let wrong = 0;
  try {
    for (let start = 0; start < hosts.length; start += hostsAtOnce) {
      let left: readonly string[] = hosts.slice(start, start + hostsAtOnce);
      while (left.length > 0) {
        const isThere = (await ask(left.slice(0, 1))).length === 0;
        left = isThere ? await ask(left.slice(1)) : left;
        if (left.length > 0) await sleep(pollMs);
      }
    }
    return wrong;
  } finally {
    socket.destroy();
  }

  /** Those that are not served. */
  async function ask(asked: readonly string[]): Promise<readonly string[]> {
    socket.write(asked.map((host) => `HEAD / HTTP/1.1\r\nHost: ${host}\r\n\r\n`).join(""));
    const missing: string[] = [];
    for (const host of asked) {
      const { value: status } = await answers.next();
      if (status !== 200) missing.push(host);
      if (status !== 200 && status !== 404) wrong += 1;
    }
    return missing;
  }
}

/** An answer to HEAD has no body, so its head is all of it. */
async function* statusesOf(socket: Socket): AsyncGenerator<number, never> {
  let rest = "";
  for await (const chunk of socket) {
    const heads = (rest + String(chunk)).split("\r\n\r\n");
    rest = heads.pop() ?? "";
    yield* heads.map((head) => Number(head.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length)));
  }
  throw new Error("the node has closed the connection");
}
