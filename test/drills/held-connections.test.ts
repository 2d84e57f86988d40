/** Changes pass by while connections are held: nothing is dropped, nothing is reloaded, no route flickers. */
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import WebSocket from "ws";
import { startBackend } from "../harness/backend.ts";
import { Field, report, times } from "./field.ts";

/** An application that sends a piece every few ms until it is told to finish. */
async function startEndless(): Promise<{ port: number; finish: () => number; close: () => void }> {
  let isOver = false;
  let bytes = 0;
  const server = createServer(async (_, outgoing) => {
    while (!isOver) {
      bytes += 1024;
      outgoing.write("x".repeat(1024));
      await sleep(10);
    }
    outgoing.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    finish: () => {
      isOver = true;
      return bytes;
    },
    close: () => server.close(),
  };
}

/** How many bytes came, once the answer is whole; rejects when it breaks off. */
function download(port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    const request = get({ host: "127.0.0.1", port, headers: { host }, agent: false }, (incoming) => {
      incoming.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      incoming.on("end", () => (incoming.complete ? resolve(bytes) : reject(new Error("the download broke off"))));
      incoming.on("error", reject);
    });
    request.on("error", reject);
  });
}

test("changes drop no connection, reload nothing, and a route that exists never fails", {
  timeout: 600_000,
}, async () => {
  const changes = times(60, 1_000);
  await using field = await Field.start();
  await using second = await startBackend("second");
  const endless = await startEndless();
  const { node, writer, backend } = field;
  await writer.service("endless");
  await writer.members("endless", [endless.port]);
  await writer.route("slow", ["/"], "endless");
  await field.untilEqual();
  const before = await node.state();

  // Held throughout: a WebSocket that talks, a download that flows, and who asks again and again.
  const socket = new WebSocket(`ws://127.0.0.1:${node.ports.http}/`, { headers: { host: "www.example" } });
  let echoed = 0;
  let dropped = 0;
  socket.on("message", () => {
    echoed += 1;
  });
  socket.on("close", () => {
    dropped += 1;
  });
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  const downloading = download(node.ports.http, "slow.example");
  let isOver = false;
  let asked = 0;
  const failures: string[] = [];
  const asking = (async () => {
    while (!isOver) {
      const answer = await node.get("www.example").catch((error: Error) => ({ status: 0, text: error.message }));
      asked += 1;
      if (answer.status !== 200) failures.push(`${answer.status} ${answer.text}`);
      if (asked % 10 === 0) socket.send(String(asked));
    }
  })();

  // A new route goes from 404 to its application with nothing between.
  const delays: number[] = [];
  const members = [[backend.port], [backend.port, second.port], [second.port]];
  for (let change = 0; change < changes; change += 1) {
    if (change % 10 === 4) await writer.members("web", members[((change / 2 - 2) % 3) | 0] ?? []);
    else if (change % 10 === 7) await writer.route("www", change % 20 === 7 ? ["/", "/more"] : ["/"]);
    else if (change % 10 === 9) await writer.unroute(`new-${change - 4}`);
    else {
      const since = performance.now();
      expect(await writer.route(`new-${change}`)).toBe(true);
      for (let status = 404; status !== 200; ) {
        status = (await node.get(`new-${change}.example`)).status;
        if (status !== 404 && status !== 200) failures.push(`a new route answered ${status}`);
        if (performance.now() - since > 10_000) throw new Error(`new-${change}.example is not served`);
      }
      delays.push(performance.now() - since);
    }
  }
  await field.untilEqual();
  isOver = true;
  await asking;
  const sent = endless.finish();
  expect(await downloading).toBe(sent);
  expect({ dropped, state: socket.readyState }).toEqual({ dropped: 0, state: WebSocket.OPEN });
  expect(await field.wrong()).toEqual([]);
  socket.close();
  endless.close();

  const after = await node.state();
  expect(failures).toEqual([]);
  expect(echoed).toBeGreaterThan(0);
  expect(after.workers.map(({ pid }) => pid)).toEqual(before.workers.map(({ pid }) => pid));
  expect(node.log()).not.toMatch(/reconfiguring|gracefully shutting down|exited on signal/);
  delays.sort((a, b) => a - b);
  report("held connections", {
    changes,
    revisions: after.revision - before.revision,
    "requests meanwhile": asked,
    failed: failures.length,
    dropped,
    "new route, ms (median, worst)": `${delays[delays.length >> 1]?.toFixed(1)} ${delays.at(-1)?.toFixed(1)}`,
  });
});
