/** A stand-in for kubelet and the scheduler: it binds each pod to the one machine and really runs its containers. */
import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { addAddress, nodeAddress, PodAddresses } from "./address.ts";
import type { Api } from "./api.ts";
import type { Images } from "./images.ts";
import type { Pod } from "./pod.ts";
import { RunningPod } from "./running-pod.ts";

const machine = "machine-1";

export class Kubelet {
  readonly #api: Api;
  readonly #folder: string;
  readonly #images: Images;
  readonly #addresses = new PodAddresses();
  readonly #pods = new Map<string, RunningPod>();
  readonly #bound = new Set<string>();
  readonly #ended = new AbortController();

  constructor(api: Api, folder: string, images: Images) {
    this.#api = api;
    this.#folder = folder;
    this.#images = images;
  }

  async start(): Promise<void> {
    addAddress(nodeAddress);
    mkdirSync(this.#folder, { recursive: true });
    await this.#register();
    void this.#api.watch("/api/v1/pods", this.#ended.signal, ({ type, object }) => {
      if (type === "ADDED" || type === "MODIFIED") this.#see(object as Pod);
      if (type === "DELETED") void this.#forget(object.metadata.uid ?? "");
    });
  }

  #see(pod: Pod): void {
    const { uid, deletionTimestamp } = pod.metadata;
    const running = this.#pods.get(uid);
    if (deletionTimestamp !== undefined) {
      if (pod.spec.nodeName === machine) void this.#stop(pod, running);
      return;
    }
    if (pod.spec.nodeName === undefined) {
      void this.#bind(pod);
      return;
    }
    const isOver = pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
    if (running !== undefined || isOver || pod.spec.nodeName !== machine) return;
    const folder = path.join(this.#folder, `${pod.metadata.namespace}_${pod.metadata.name}_${uid.slice(0, 8)}`);
    const made = new RunningPod(this.#api, pod, {
      folder,
      address: pod.spec.hostNetwork === true ? nodeAddress : this.#addresses.next(),
      hostAddress: nodeAddress,
      images: this.#images,
      folders: Object.values(this.#images).map(([program = ""]) => path.dirname(program)),
    });
    this.#pods.set(uid, made);
    void made.run();
  }

  async #bind({ metadata }: Pod): Promise<void> {
    if (this.#bound.has(metadata.uid)) return;
    this.#bound.add(metadata.uid);
    await this.#api.ask("POST", `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/binding`, {
      apiVersion: "v1",
      kind: "Binding",
      metadata: { name: metadata.name },
      target: { apiVersion: "v1", kind: "Node", name: machine },
    });
  }

  /** Ends its programs, then takes the pod itself away, as kubelet does. */
  async #stop({ metadata, spec }: Pod, running: RunningPod | undefined): Promise<void> {
    if (running?.isEnding === true) return;
    await running?.end((spec.terminationGracePeriodSeconds ?? 30) * 1_000);
    const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`;
    const options = { gracePeriodSeconds: 0, preconditions: { uid: metadata.uid } };
    await this.#api.ask("DELETE", path, { apiVersion: "v1", kind: "DeleteOptions", ...options });
  }

  async #forget(uid: string): Promise<void> {
    const running = this.#pods.get(uid);
    if (running === undefined) return;
    // Deleted by force: nobody waits for it.
    await running.end(0);
    this.#pods.delete(uid);
    rmSync(running.folder, { recursive: true, force: true });
  }

  async #register(): Promise<void> {
    const node = {
      apiVersion: "v1",
      kind: "Node",
      metadata: {
        name: machine,
        labels: { "kubernetes.io/hostname": machine, "kubernetes.io/os": "linux", "entrance.dev/node": "true" },
      },
    };
    await this.#api.ask("POST", "/api/v1/nodes", node);
    const resources = { cpu: "64", memory: "256Gi", pods: "1000" };
    const status = {
      addresses: [{ type: "InternalIP", address: nodeAddress }],
      capacity: resources,
      allocatable: resources,
      conditions: [{ type: "Ready", status: "True", reason: "StandIn", message: "a stand-in runs the pods" }],
    };
    await this.#api.merge(node, { status }, "/status");
    await this.#api.merge(node, { spec: { taints: null } });
  }
}
