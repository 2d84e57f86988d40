/** Whatever is committed in several commits: each of them is sent, and requests come in between. */
import { expect, test } from "vitest";
import { openMemoryStore } from "../../shared/store/node-sqlite.ts";
import { newTestEntrance } from "../harness/entrance.ts";
import { observed, seenIngress, seenService, seenSlice } from "../harness/seen.ts";
import { dangling, watchedStore } from "../harness/served.ts";

const two = [80, 81].map((port) => ({ name: `p${port}`, port, protocol: "TCP" as const, targetPort: 8_080 }));

function watched() {
  const wrong: string[] = [];
  const store = watchedStore(openMemoryStore(), (wants) => wrong.push(...dangling(wants, "members")));
  return { wrong, test: newTestEntrance({ store }) };
}

test("an Ingress that moves to another port of a Service with many slices", async () => {
  const { test, wrong } = watched();
  const slices = Array.from({ length: 50 }, (_, index) => ({
    ...seenSlice("shop", "web", [`10.0.0.${index}`], `s${index}`),
    ports: two.map(({ name }) => ({ name, port: 8_080, protocol: "TCP" as const })),
  }));
  const routed = (port: number) => {
    const paths = [{ path: "/", pathType: "Prefix" as const, backend: { service: "web", port } }];
    return { ...seenIngress("shop", "web", [], "web"), rules: [{ host: "www.shop.example", paths }] };
  };
  await test.entrance.observe([
    observed(seenService("shop", "web", { ports: two }), 1),
    ...slices.map((each) => observed(each, 2)),
    observed(routed(80), 3),
  ]);
  await test.host.settled();
  await test.entrance.observe([observed(routed(81), 4)]);
  await test.host.settled();
  expect(wrong).toEqual([]);
  const keys = [...test.node().resources.keys()];
  expect(keys.filter((key) => key.startsWith("Pool/"))).toEqual(["Pool/shop/web/81"]);
  expect(keys.filter((key) => key.startsWith("Node/"))).toHaveLength(50);
});

test("many Services with routes of their own arrive in one list", async () => {
  const { test, wrong } = watched();
  const names = Array.from({ length: 40 }, (_, index) => `web${index}`);
  await test.entrance.observe([
    ...names.map((name) => observed(seenSlice("shop", name, ["10.0.0.1"]), 1)),
    ...names.map((name) => observed(seenService("shop", name, { annotations: { http: `${name}.shop.example` } }), 1)),
  ]);
  await test.host.settled();
  expect(wrong).toEqual([]);
  expect([...test.node().resources.keys()].filter((key) => key.startsWith("Rule/"))).toHaveLength(40);
});
