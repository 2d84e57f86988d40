/** After each file: none of its namespaces is left, whose objects the next one's Entrance would serve as well. */
import { afterAll, inject } from "vitest";
import { Api, until } from "./api.ts";
import { adminToken } from "./control-plane.ts";

/** Those that every cluster has. */
const own = /^(default$|kube-)/;
const patienceMs = 120_000;

afterAll(async () => {
  const { url, caFile } = inject("field");
  const api = new Api(url, caFile, adminToken);
  const left = async () => {
    const { items } = await api.list("/api/v1/namespaces");
    return items.filter(({ metadata }) => !own.test(metadata.name));
  };
  for (const { metadata } of await left())
    await api.delete({ apiVersion: "v1", kind: "Namespace", metadata: { name: metadata.name } });
  await until("no namespace of the tests is left", async () => (await left()).length === 0, patienceMs);
}, patienceMs);
