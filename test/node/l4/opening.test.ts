// What is said of a port before it is there: nobody should be told that it is open and be refused.
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePorts } from "../../harness/free-ports.ts";
import { startNode, type TestNode } from "../../harness/node.ts";
import { greeting } from "./client.ts";
import { type Member, tcpMember } from "./members.ts";
import { applied, connectionPool, listening, membersOf, service, settled, stateOf } from "./values.ts";

let one: Member;

beforeAll(async () => {
  one = await tcpMember("one");
});
afterAll(() => one.close());

/** What is said of a port until it is open, each with whether it could be reached right after. */
async function followed(node: TestNode, port: number): Promise<string[]> {
  const found: string[] = [];
  await expect
    .poll(
      async () => {
        const state = (await stateOf(node, `VirtualService/tcp/${port}`))?.state ?? "unknown";
        const name = await greeting(port).catch(() => "nobody");
        if (state === "open") found.push(`open: ${name}`);
        else if (found.at(-1) !== state) found.push(state);
        return state;
      },
      { timeout: 15_000, interval: 5 },
    )
    .toBe("open");
  return found;
}

test("a port is opening until the workers that run have it; others stay open meanwhile", async () => {
  await using node = await startNode();
  const [first = 0, second = 0] = await freePorts(2);
  await applied(node, listening("tcp", first, "db", [{ port: one.port }]));
  // One reload a second: this one waits.
  await node.apply([service("tcp", second, "db")]);
  await expect.poll(() => stateOf(node, `VirtualService/tcp/${second}`)).toEqual({ state: "opening" });
  expect(await stateOf(node, `VirtualService/tcp/${first}`)).toEqual({ state: "open" });
  expect((await followed(node, second)).at(-1)).toBe("open: one");
  await settled(node);
  // Another address of a port that is open is another port.
  await node.apply([service("tcp", second, "db", { addresses: ["127.0.0.2"] })]);
  const reason = "its port is still open with other addresses, which are closed first: it opens in a moment";
  await expect.poll(() => stateOf(node, `VirtualService/tcp/${second}`)).toEqual({ state: "failed", reason });
  await expect
    .poll(() => stateOf(node, `VirtualService/tcp/${second}`), { timeout: 15_000 })
    .toEqual({ state: "open" });
  expect(await greeting(second, "127.0.0.2")).toBe("one");
  expect(await greeting(first)).toBe("one");
});

test("what an earlier start has said counts for nothing after a kill -9", async () => {
  await using node = await startNode();
  const [port = 0] = await freePorts(1);
  await applied(node, listening("tcp", port, "db", [{ port: one.port }]));
  await node.kill9();
  await node.start();
  const said = await followed(node, port);
  expect(said.filter((each) => each.startsWith("open:"))).toEqual(["open: one"]);
});

test("a name whose connections pass through is opening until the last worker hands it on", async () => {
  await using node = await startNode();
  const [port = 0] = await freePorts(1);
  await applied(node, listening("tcp", port, "db", [{ port: one.port }]));
  const value = { tenant: "shop", certificates: [], passthrough: "Pool/shop/tls/1" };
  const name = "Domain/through.example";
  await node.apply([connectionPool("tls"), membersOf("tls", [{ port: one.port }]), { key: name, value }]);
  await expect.poll(() => stateOf(node, name)).toEqual({ state: "opening" });
  await settled(node);
  expect(await stateOf(node, name)).toEqual({ state: "open" });
});
