/** The doors in a real workerd: the bundle as it is deployed, its Durable Object, and a real node. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { isReview, linesBeforeDeletion, readCapture } from "../harness/capture.ts";
import { startProcessHost } from "../harness/process-host.ts";
import { runDoorCases } from "./cases.ts";

runDoorCases({ name: "workerd", start: (environment) => startProcessHost("workerd", environment) });

test("the capture leads the node to the same digest as in one process, and to nothing at its end", async () => {
  const golden = new URL("../golden/shop-capture.json", import.meta.url);
  const { digest } = JSON.parse(readFileSync(golden, "utf8")) as { digest: string };
  const { entrance, node, stop } = await startProcessHost("workerd");
  try {
    const allowed: boolean[] = [];
    for (const [index, request] of readCapture().entries()) {
      const answer = await entrance.fetch(request.path, { method: "POST", body: JSON.stringify(request.body) });
      expect(answer.status).toBe(200);
      const body = (await answer.json()) as { response?: { allowed: boolean } };
      if (isReview(request)) allowed.push(body.response?.allowed === true);
      if (index + 1 === linesBeforeDeletion) await expect.poll(async () => (await node.state()).digest).toBe(digest);
    }
    expect(allowed).toEqual(Array.from({ length: 70 }, () => true));
    const status = async () => {
      const { marks, balancers, refused } = await entrance.status();
      const lag = balancers[0]?.nodes[0]?.lag;
      return { due: marks.due, later: marks.later, lag, refused: refused.map(({ object }) => object) };
    };
    // The one object that is never deleted; there is nothing to seal it with.
    await expect.poll(status).toEqual({ due: 0, later: 0, lag: 0, refused: ["Secret/shop/shop-tls"] });
    expect((await node.state()).digest).toBe("0".repeat(40));
  } finally {
    await stop();
  }
});
