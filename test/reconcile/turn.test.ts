import { describe, expect, test } from "vitest";
import { domainReference } from "../../shared/model/reference.ts";
import type { Resource } from "../../shared/plugins/port.ts";
import { dirtyPartition, laterPartition, lockKey, refusedPartition } from "../../shared/reconcile/keys.ts";
import { listUsers } from "../../shared/reconcile/users.ts";
import { noWant, readWant } from "../../shared/reconcile/want.ts";
import { newTestEntrance, type TestEntrance } from "../harness/entrance.ts";
import { digestOf } from "../harness/model-node.ts";
import { gone, observed, seenIngress, seenService, seenSlice } from "../harness/seen.ts";

const web = seenService("shop", "web");
const slice = seenSlice("shop", "web", ["10.0.0.1"]);
const ingress = seenIngress("shop", "web", ["www.shop.example"], "web");

async function observe(test: TestEntrance, ...observations: Parameters<TestEntrance["entrance"]["observe"]>[0]) {
  await test.entrance.observe(observations);
  await test.host.settled();
}

/** Nothing is left to do, and the node has exactly what the head says. */
async function expectSettled(test: TestEntrance): Promise<void> {
  const { store } = test.context;
  expect((await store.list(dirtyPartition, undefined, 10)).entries).toEqual([]);
  expect((await store.list(laterPartition, undefined, 10)).entries).toEqual([]);
  expect(JSON.parse((await store.get(lockKey))?.value ?? '{"holder":""}').holder).toBe("");
  for (const node of test.nodes.values()) expect(digestOf(node.resources)).toBe(node.state.digest);
  expect(test.host.faults).toEqual([]);
  expect(test.warnings).toEqual([]);
}

const keysOn = (test: TestEntrance) => [...test.node().resources.keys()].sort();

const whole = [
  "Domain/www.shop.example",
  "Node/shop/web/80/web-a",
  "Pool/shop/web/80",
  "Rule/www.shop.example/Ingress/shop/web/0",
];

describe("one application", () => {
  for (const [title, order] of [
    ["Service, slice, Ingress", [web, slice, ingress]],
    ["Ingress, slice, Service", [ingress, slice, web]],
    ["slice, Ingress, Service", [slice, ingress, web]],
  ] as const) {
    test(`arrives whole in the order ${title}`, async () => {
      const test = newTestEntrance();
      for (const [index, object] of order.entries()) await observe(test, observed(object, index + 1));
      expect(keysOn(test)).toEqual(whole);
      await expectSettled(test);
    });
  }

  test("goes whole, and leaves no user behind", async () => {
    const test = newTestEntrance();
    await observe(test, observed(web, 1), observed(slice, 2), observed(ingress, 3));
    await observe(test, gone(ingress, 3));
    expect(keysOn(test)).toEqual([]);
    await observe(test, gone(slice, 2), gone(web, 1));
    await expectSettled(test);
    for (const object of [web, slice, ingress]) {
      const reference = { kind: object.kind, namespace: object.namespace, name: object.name };
      expect(await listUsers(test.context.store, reference)).toEqual([]);
      expect((await readWant(test.context.store, reference)).want).toEqual(noWant);
    }
    expect((await readWant(test.context.store, domainReference("www.shop.example"))).want).toEqual(noWant);
  });

  test("a Pool and its members are sent no later than the Rule that names it, and removed no earlier", async () => {
    const test = newTestEntrance();
    await observe(test, observed(web, 1), observed(slice, 2), observed(ingress, 3));
    await observe(test, observed({ ...ingress, rules: [] }, 4), gone(web, 2));
    const revisions = (resource: Resource | undefined) => resource?.revision ?? 0;
    const first = test.node().accepted[0];
    const byKey = new Map((first?.resources ?? []).map((resource) => [resource.key, resource]));
    expect(revisions(byKey.get("Pool/shop/web/80"))).toBeLessThanOrEqual(revisions(byKey.get(whole[3] ?? "")));
    expect(revisions(byKey.get("Node/shop/web/80/web-a"))).toBeLessThanOrEqual(revisions(byKey.get(whole[3] ?? "")));
    await expectSettled(test);
  });

  test("a pool is there only while something uses it", async () => {
    const test = newTestEntrance();
    await observe(test, observed(web, 1), observed(slice, 2));
    expect(keysOn(test)).toEqual([]);
    await observe(test, observed(ingress, 3));
    expect(keysOn(test)).toEqual(whole);
    await observe(test, observed({ ...ingress, className: "other" }, 4));
    expect(keysOn(test)).toEqual([]);
    await expectSettled(test);
  });

  test("an unchanged object costs nothing on the node", async () => {
    const test = newTestEntrance();
    await observe(test, observed(web, 1), observed(slice, 2), observed(ingress, 3));
    const { revision } = test.node().state;
    await observe(test, observed(web, 11), observed(slice, 12), observed(ingress, 13));
    expect(test.node().state.revision).toBe(revision);
    await expectSettled(test);
  });
});

describe("a contested name", () => {
  const first = seenIngress("shop", "a", ["x.example"], "web");
  const second = seenIngress("other", "b", ["x.example"], "web");

  test("stays with its holder, and goes to the next when it is freed", async () => {
    const test = newTestEntrance();
    await observe(test, observed(first, 1));
    await observe(test, observed({ ...second, created: "2020-01-01T00:00:00Z" }, 2));
    expect(keysOn(test)).toEqual(["Domain/x.example", "Rule/x.example/Ingress/shop/a/0"]);
    const refused = (await test.context.store.list(refusedPartition, undefined, 10)).entries.map(
      (entry) => entry.key.sort,
    );
    expect(refused).toContain("Ingress/other/b");
    await observe(test, gone(first, 1));
    expect(keysOn(test)).toEqual(["Domain/x.example", "Rule/x.example/Ingress/other/b/0"]);
    await expectSettled(test);
  });

  test("among several new claims goes to the oldest object, whoever is translated first", async () => {
    const test = newTestEntrance();
    const older = { ...first, created: "2020-01-01T00:00:00Z" };
    await observe(test, observed(second, 1), observed(older, 2));
    expect(keysOn(test)).toEqual(["Domain/x.example", "Rule/x.example/Ingress/shop/a/0"]);
    await expectSettled(test);
  });

  test("many objects of one tenant share a host", async () => {
    const test = newTestEntrance();
    const all = Array.from({ length: 60 }, (_, index) => seenIngress("shop", `i${index}`, ["x.example"], "web"));
    await observe(test, ...all.map((object, index) => observed(object, index + 1)));
    expect(keysOn(test).filter((key) => key.startsWith("Rule/"))).toHaveLength(60);
    await expectSettled(test);
  });
});

describe("sizes", () => {
  test("an object with more hosts than fit into a commit comes and goes whole", async () => {
    const test = newTestEntrance();
    const hosts = Array.from({ length: 90 }, (_, index) => `h${index}.example`);
    const many = seenIngress("shop", "many", hosts, "web");
    await observe(test, observed(web, 1), observed(slice, 2), observed(many, 3));
    expect(keysOn(test).filter((key) => key.startsWith("Rule/"))).toHaveLength(90);
    await expectSettled(test);
    await observe(test, observed({ ...many, rules: [] }, 4));
    expect(keysOn(test)).toEqual([]);
    await expectSettled(test);
  });

  test("a want larger than a record of the store is kept in parts and read back", async () => {
    const test = newTestEntrance();
    const addresses = Array.from(
      { length: 3_000 },
      (_, index) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
    );
    const slices = [0, 1, 2].map((part) =>
      seenSlice("shop", "web", addresses.slice(part * 1_000, part * 1_000 + 1_000), `s${part}`),
    );
    const ports = Array.from({ length: 4 }, (_, index) => ({
      name: `p${index}`,
      port: 80 + index,
      protocol: "TCP" as const,
    }));
    const service = { ...web, ports: ports.map((port) => ({ ...port, targetPort: 8_080 })) };
    const wide = slices.map((each) => ({ ...each, ports: ports.map((port) => ({ ...port, port: 8_080 })) }));
    const paths = ports.map((port) => ({
      path: `/${port.port}`,
      pathType: "Prefix" as const,
      backend: { service: "web", port: port.port },
    }));
    const routes = { ...ingress, rules: [{ host: "www.shop.example", paths }] };
    await observe(
      test,
      observed(service, 1),
      ...wide.map((each, index) => observed(each, index + 2)),
      observed(routes, 9),
    );
    const members = [...test.node().resources.values()].flatMap(({ key, value }) =>
      key.startsWith("Node/") &&
      typeof value === "object" &&
      value !== null &&
      "members" in value &&
      Array.isArray(value.members)
        ? value.members
        : [],
    );
    expect(members).toHaveLength(12_000);
    await expectSettled(test);
    await observe(test, gone(routes, 9));
    expect(keysOn(test)).toEqual([]);
    await expectSettled(test);
  });
});

test("an object that meets a fault of ours is tried again later and holds up nobody", async () => {
  const { translate } = newTestEntrance().context;
  let broken = true;
  const test = newTestEntrance({
    translate: (subject, settings) => {
      if (broken && subject.reference.name === "poison") throw new Error("boom");
      return translate(subject, settings);
    },
  });
  const poison = seenIngress("shop", "poison", ["p.example"], "web");
  await observe(test, observed(poison, 1), observed(web, 2), observed(slice, 3), observed(ingress, 4));
  expect(keysOn(test)).toEqual(whole);
  expect((await test.context.store.list(laterPartition, undefined, 10)).entries).toHaveLength(1);
  expect(
    (await test.context.store.list(refusedPartition, undefined, 10)).entries.map((entry) => entry.value).join(),
  ).toContain("fault of Entrance");
  broken = false;
  test.clock += 60_000;
  await test.entrance.tick();
  await test.host.settled();
  expect(keysOn(test)).toContain("Rule/p.example/Ingress/shop/poison/0");
  expect((await test.context.store.list(refusedPartition, undefined, 10)).entries).toEqual([]);
});
