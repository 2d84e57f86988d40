/** How many datagrams a port answers in a second: so many sockets, each of which asks again when it was answered. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

const sockets = 32;
/** What got lost is asked again after this. */
const lostAfterMs = 200;

export async function datagramsPerSecond(port: number, seconds: number): Promise<number> {
  let answered = 0;
  const asking = Array.from({ length: sockets }, () => {
    const socket = createSocket("udp4");
    const state = { socket, last: 0 };
    const ask = () => {
      state.last = performance.now();
      socket.send("hello", port, "127.0.0.1");
    };
    socket.on("message", () => {
      answered += 1;
      ask();
    });
    return { ...state, state, ask };
  });
  for (const { ask } of asking) ask();
  const began = performance.now();
  while (performance.now() - began < seconds * 1_000) {
    await sleep(lostAfterMs / 2);
    for (const { state, ask } of asking) if (performance.now() - state.last > lostAfterMs) ask();
  }
  const took = (performance.now() - began) / 1_000;
  await Promise.all(
    asking.map(({ socket }) => {
      const closed = once(socket, "close");
      socket.close();
      return closed;
    }),
  );
  return answered / took;
}
