/** The first thing that anybody does: an application, a Service, an Ingress; and an answer through a node. */
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { KEY, startNode, type TestNode } from "../harness/node.ts";
import { until } from "./api.ts";
import { Installed } from "./installed.ts";
import { ingress, namespace, service, web } from "./objects.ts";

let node: TestNode;
let installed: Installed;

beforeAll(async () => {
  node = await startNode();
  installed = await Installed.install(inject("field"), {
    nodes: [`http://127.0.0.1:${node.ports.admin}`],
    nodeKey: KEY,
  });
});

afterAll(async () => {
  await installed?.remove();
  await node?.stop();
});

test("an Ingress leads to the pods of a Deployment", async () => {
  const { api } = installed;
  const name = "hello";
  await api.create(namespace(name));
  for (const object of [web(name, "web", 2), service(name, "web"), ingress(name, "web", "hello.example")]) {
    expect((await api.apply(object)).status).toBeLessThan(300);
  }
  const answer = await until("the host is answered by the application", async () => {
    const said = await node.get("hello.example");
    return said.status === 200 && said;
  });
  expect(JSON.parse(answer.text)).toMatchObject({ app: "web", url: "/" });
});
