/** Routes that nobody changes: applications of one namespace, by http and https. */
import type { Pair } from "../../harness/certificate.ts";
import type { Cluster } from "./cluster.ts";
import { ingress, service, slice, tlsSecret } from "./objects.ts";

const namespace = "calm";
const secret = "calm-tls";
export const calmSecret = { namespace, name: secret };
export const calmNames = ["*.calm.example"];
export const calmHosts = ["a.calm.example", "b.calm.example", "c.calm.example"];
const open = { "redirect-https": "false" };

/** Resolves when all of it is acknowledged. */
export async function establishCalm(cluster: Cluster, ports: readonly number[], pair: Pair): Promise<void> {
  await cluster.put(tlsSecret(calmSecret, pair));
  const works = calmHosts.map(async (host, place) => {
    const named = { namespace, name: host.slice(0, 1) };
    const members = [ports[place % ports.length], ports[(place + 1) % ports.length]];
    // The last one's Service says itself where it is served.
    const asks = { http: host, https: host, certificate: secret, ...open };
    await cluster.put(service(named, place === calmHosts.length - 1 ? asks : {}));
    await Promise.all(members.map((port, index) => cluster.put(slice(named, String(index), port))));
    if (place < calmHosts.length - 1)
      await cluster.put(ingress(named, { host, paths: { "/": named.name }, secret, annotations: open }));
  });
  await Promise.all(works);
}
