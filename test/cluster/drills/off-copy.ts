/** A copy of Entrance beside two others, whose clock is off: to the Service it is one of them. */
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Status } from "../../../functions/status.ts";
import { type KubeObject, until } from "../api.ts";
import { askEntrance } from "../installed.ts";
import type { World } from "../world.ts";
import { counterOf } from "./drill.ts";

const podsPath = "/api/v1/namespaces/entrance/pods?labelSelector=clock%3Doff";

interface Template {
  readonly metadata: { readonly labels: object };
  readonly spec: { readonly containers: readonly { readonly env?: readonly object[] }[] };
}

export class OffCopy {
  /** As the lock's holder it signs so. */
  readonly instance: string;
  readonly #world: World;
  readonly #address: string;
  readonly #pid: number;

  private constructor(world: World, address: string, pid: number, instance: string) {
    this.#world = world;
    this.#address = address;
    this.#pid = pid;
    this.instance = instance;
  }

  static async add(world: World, offMs: number): Promise<OffCopy> {
    const found = await world.api.get(deployment("entrance"));
    if (found === undefined) throw new Error("Entrance is not installed");
    const { template } = found["spec"] as { template: Template };
    const labels = { ...template.metadata.labels, clock: "off" };
    const [container] = template.spec.containers;
    const preload = path.join(import.meta.dirname, "../../harness/shifted-clock.ts");
    const env = [
      ...(container?.env ?? []),
      { name: "NODE_OPTIONS", value: `--import=${preload}` },
      { name: "TEST_CLOCK_OFF_MS", value: String(offMs) },
    ];
    const spec = { ...template.spec, containers: [{ ...container, env }] };
    await world.api.create({
      ...deployment("entrance-off"),
      spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    });
    await world.api.merge(deployment("entrance"), { spec: { replicas: 2 } });
    await until("it is ready", async () => {
      const status = (await world.api.get(deployment("entrance-off")))?.["status"] as { readyReplicas?: number };
      return status?.readyReplicas === 1 && (await world.installed.addresses()).length === 3;
    });
    const [pod] = (await world.api.list(podsPath)).items;
    const { podIP: address = "" } = (pod?.["status"] ?? {}) as { podIP?: string };
    const { instance } = (await askEntrance(address, "/status")) as Status;
    return new OffCopy(world, address, processOf(pod?.metadata.name ?? ""), instance);
  }

  counter(name: string): Promise<number> {
    return counterOf(this.#address, name);
  }

  /** It stays where it is, and keeps its connections. */
  stop(): void {
    process.kill(this.#pid, "SIGSTOP");
  }

  goOn(): void {
    process.kill(this.#pid, "SIGCONT");
  }

  /** As where its machine is switched off. No copy whose clock is off comes in its place. */
  async die(): Promise<void> {
    const { api } = this.#world;
    const pods = async () => (await api.list(podsPath)).items;
    await api.merge(deployment("entrance-off"), { spec: { replicas: 0 } });
    const isGoing = async () => (await pods()).every(({ metadata }) => metadata.deletionTimestamp !== undefined);
    await until("nobody starts it again", isGoing);
    process.kill(this.#pid, "SIGKILL");
    await until("its pod is gone", async () => (await pods()).length === 0);
    await api.delete(deployment("entrance-off"));
  }
}

export function deployment(name: string): KubeObject {
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name, namespace: "entrance" } };
}

/** A container's program has its pod's name in its environment. */
function processOf(pod: string): number {
  const environment = (file: string) => {
    try {
      return readFileSync(file, "utf8").split("\0");
    } catch {
      // It has ended meanwhile.
      return [];
    }
  };
  const [file = ""] = globSync("/proc/[0-9]*/environ").filter((each) => environment(each).includes(`HOSTNAME=${pod}`));
  const pid = Number(file.split("/")[2]);
  if (!(pid > 0)) throw new Error(`nothing runs in ${pod}`);
  return pid;
}
