/** The first thing that anybody does: an application, a Service, an Ingress; and an answer through a node. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { askEntrance } from "./installed.ts";
import { ingress, namespace, service, web } from "./objects.ts";
import { World } from "./world.ts";

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(async () => {
  await world?.stop();
});

test("an Ingress leads to the pods of a Deployment", async () => {
  const name = "hello";
  await world.apply(namespace(name), web(name, "web", 2), service(name, "web"), ingress(name, "web", "hello.example"));
  const answer = await world.answers("hello.example", 200);
  expect(JSON.parse(answer.text)).toMatchObject({ app: "web", url: "/" });
});

test("it says when the cluster was last heard, since a webhook that fails open fails silently", async () => {
  const { heard } = await world.installed.status();
  expect(heard?.list).toBeGreaterThan(Date.now() - 300_000);
  expect(heard?.review).toBeGreaterThan(Date.now() - 300_000);
  expect(heard?.audit).toBeUndefined();
  const [address = ""] = await world.installed.addresses();
  expect(await askEntrance(address, "/readyz")).toMatch(
    /^ok\nlast review: \d+ s ago\nlast audit: never\nlast list: \d+ s ago\n$/,
  );
});
