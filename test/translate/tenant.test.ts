/** Whose an object is: its Namespace's tenant where that has one, else what it says itself, else its namespace. */
import { describe, expect, test } from "vitest";
import { drive, settings } from "./drive.ts";
import { ingress, namespace, service } from "./seen.ts";

const bound = { objects: [namespace({ labels: { tenant_name: "acme" } }), service()] };
const free = { objects: [namespace(), service()] };
const labelled = (tenant: string | undefined) => (tenant === undefined ? {} : { tenant_name: tenant });
const told = {
  sentence:
    'label tenant_name: "thief": all of namespace shop belongs to tenant "acme"; write that, or leave the label out',
  deny: true,
};

test.each<[string, string | undefined, object, string, object[]]>([
  ["the Namespace is not known", undefined, {}, "shop", []],
  ["the Namespace is not known", "thief", {}, "thief", []],
  ["the Namespace is nobody's", undefined, free, "shop", []],
  ["the Namespace is nobody's, as Rainbond's are", "thief", free, "thief", []],
  ["the Namespace is acme's", undefined, bound, "acme", []],
  ["the Namespace is acme's", "acme", bound, "acme", []],
  ["the Namespace is acme's", "thief", bound, "acme", [told]],
])("%s, the label says %s", (_, label, world, tenant, problems) => {
  const labels = labelled(label);
  const byService = drive(service({ labels, annotations: { http: "a.example" } }), world);
  const byIngress = drive(ingress(["a.example"], { labels }), { objects: [service()], ...world });
  for (const driven of [byService, byIngress]) {
    expect(driven.claimed["Domain//a.example"]).toMatchObject({ tenant });
    expect(driven.resources["openresty"]).toMatchObject({
      [`Rule/a.example/${driven === byService ? "Service" : "Ingress"}/shop/web/0`]: { tenant },
    });
    expect(driven).toMatchObject({ problems, failed: false, readsNamespace: true });
  }
});

describe("a Service in a bound Namespace", () => {
  const settingsWithSuffix = { ...settings, httpSuffix: "apps.example" };

  test("has no default domain in another tenant's name", () => {
    const rainbonds = service({ labels: { tenant_name: "thief", protocol: "http" }, selectorName: "gr1a" });
    const { claimed, resources } = drive(rainbonds, { ...bound, settings: settingsWithSuffix });
    expect(Object.keys(claimed)).toEqual(["Domain//8080.gr1a.acme.apps.example"]);
    expect(resources["openresty"]?.["Pool/shop/web/80"]).toMatchObject({ alias: "acme@gr1a_8080.Pool" });
  });

  test("is nobody's business as long as it asks for nothing", () => {
    expect(drive(service(), bound).readsNamespace).toBe(false);
  });
});
