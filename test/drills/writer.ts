/** Who changes the cluster: sends audit events as an apiserver would, and remembers what was acknowledged. */
import { setTimeout as sleep } from "node:timers/promises";
import { event, eventList, ingress, type Json, service, slice } from "../observe/wire.ts";

export class Writer {
  /** By the name of a route: whether it must be served. What was sent in vain is not in here. */
  readonly acknowledged = new Map<string, boolean>();
  /** How many changes were acknowledged. */
  sent = 0;
  /** What was sent last, to be sent again. */
  lastBody = "";
  readonly #url: string;
  #version = 1_000;

  constructor(url: string) {
    this.#url = url;
  }

  /** A Service with a port 80. */
  async service(name: string): Promise<void> {
    await this.#must("Service", "create", name, service(this.#identity("Service", name)));
  }

  /** The applications of a Service on this machine. */
  async members(of: string, ports: readonly number[]): Promise<void> {
    // One slice for each port: the ports of a slice are the same for all its addresses.
    for (const [place, port] of [...ports, undefined].slice(0, 2).entries()) {
      const name = `${of}-${place}`;
      const metadata = { ...this.#identity("EndpointSlice", name), labels: { "kubernetes.io/service-name": of } };
      const endpoints = port === undefined ? [] : [{ addresses: ["127.0.0.1"], conditions: { ready: true } }];
      const wire = slice({ metadata, endpoints, ports: [{ name: "http", port: port ?? 1, protocol: "TCP" }] });
      await this.#must("EndpointSlice", "update", name, wire);
    }
  }

  /** NAME.example to a Service; whether it was acknowledged. */
  async route(name: string, paths: readonly string[] = ["/"], to = "web"): Promise<boolean> {
    const backend = { service: { name: to, port: { number: 80 } } };
    const http = { paths: paths.map((path) => ({ path, pathType: "Prefix", backend })) };
    const wire = ingress({ rules: [{ host: `${name}.example`, http }] }, this.#identity("Ingress", name));
    return this.#expect(name, true, await this.#send("Ingress", "create", name, wire));
  }

  async unroute(name: string): Promise<boolean> {
    const { uid } = this.#identity("Ingress", name);
    const gone = { kind: "Status", apiVersion: "v1", status: "Success", details: { name, kind: "ingresses", uid } };
    return this.#expect(name, false, await this.#send("Ingress", "delete", name, gone));
  }

  /** Several clients at once, each with routes of its own: mostly new ones, now and then one less; until told to end. */
  async burst(clients: number, round: string, isOver: () => boolean): Promise<void> {
    await Promise.all(
      Array.from({ length: clients }, async (_, client) => {
        for (let number = 0; !isOver(); number += 1) {
          const name = `r${round}-${client}-${number}`;
          const done =
            number % 4 === 3 ? await this.unroute(`r${round}-${client}-${number - 2}`) : await this.route(name);
          if (!done) await sleep(5);
        }
      }),
    );
  }

  /** What was not acknowledged may have happened or not. */
  #expect(name: string, isRouted: boolean, sent: boolean): boolean {
    if (sent) this.acknowledged.set(name, isRouted);
    else this.acknowledged.delete(name);
    return sent;
  }

  #identity(kind: string, name: string): Json {
    this.#version += 1;
    const creationTimestamp = "2026-11-22T10:00:00Z";
    return {
      name,
      namespace: "shop",
      uid: `uid-${kind}-${name}`,
      resourceVersion: String(this.#version),
      creationTimestamp,
    };
  }

  async #must(kind: string, verb: string, name: string, wire: Json): Promise<void> {
    if (!(await this.#send(kind, verb, name, wire))) throw new Error(`${kind} ${name} was not acknowledged`);
  }

  async #send(kind: string, verb: string, name: string, wire: Json): Promise<boolean> {
    const body = JSON.stringify(eventList(event(verb, kind, wire, {}, { name })));
    this.lastBody = body;
    const answer = await fetch(`${this.#url}/audit`, { method: "POST", body }).catch(() => undefined);
    if (answer === undefined) return false;
    const text = await answer.text();
    if (answer.status === 200 && !text.includes('"unusable":0')) throw new Error(`unusable: ${text}`);
    if (answer.status === 200) this.sent += 1;
    return answer.status === 200;
  }
}
