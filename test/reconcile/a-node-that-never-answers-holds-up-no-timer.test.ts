/** The Durable Object's alarms come one at a time: what one of them waits for holds up the next. */
import { createServer, type Server } from "node:http";
import { expect, test } from "vitest";
import { emptyDigest } from "../../shared/model/digest.ts";
import { EntranceProcess } from "../harness/entrance-process.ts";

const servers: Server[] = [];

async function listening(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return `http://127.0.0.1:${address.port}`;
}

for (const platform of ["workerd", "node"] as const) {
  test(`${platform}: another node is asked again when its backoff is over`, async () => {
    const fresh = JSON.stringify({ store: "", epoch: 0, revision: 0, digest: emptyDigest });
    const silent = await listening(
      createServer((request, response) => {
        if (request.method === "GET") response.end(fresh);
      }),
    );
    let asked = 0;
    const broken = await listening(
      createServer((_request, response) => {
        asked += 1;
        response.writeHead(500).end("{}");
      }),
    );
    const entrance = await EntranceProcess.start({ platform, nodes: [silent, broken] });
    try {
      await expect.poll(() => asked, { timeout: 5_000 }).toBeGreaterThan(4);
    } finally {
      // The end of a process waits for what it has begun.
      for (const server of servers.splice(0)) {
        server.closeAllConnections();
        server.close();
      }
      await entrance.stop();
    }
  });
}
