// Which certificate a handshake is answered with, by the name that the client asks for.
import { afterAll, beforeAll, expect, test } from "vitest";
import { requestTls } from "../../harness/https.ts";
import { startNode, type TestNode } from "../../harness/node.ts";

let node: TestNode;

beforeAll(async () => {
  node = await startNode();
});

afterAll(() => node.stop());

test("without any certificate a handshake is refused, and no line of alarm is written", async () => {
  await expect(requestTls(node.ports.https, "a.example")).rejects.toThrow(/alert|disconnected|reset/);
  await expect(requestTls(node.ports.https, "a.example", "/", { servername: "" })).rejects.toThrow(/alert|reset/);
  expect(node.log()).not.toMatch(/\[(alert|emerg|crit|error)\]/);
});
