/** One pod: its address, its volumes, its containers, and what the API is told of them. */
import { mkdirSync, readFileSync } from "node:fs";
import { request as askHttp } from "node:http";
import { request as askHttps } from "node:https";
import { connect } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { apiServiceAddress, removeAddress } from "./address.ts";
import type { Api } from "./api.ts";
import { RunningContainer } from "./container.ts";
import { type Images, programOf } from "./images.ts";
import { type Container, fieldOf, type Pod, type Probe, portOf } from "./pod.ts";
import { dataOf, layOut, layOutAgain } from "./volumes.ts";

interface PodPlace {
  readonly folder: string;
  readonly address: string;
  readonly hostAddress: string;
  readonly images: Images;
  /** Where containers find the programs of their images. */
  readonly folders: readonly string[];
}

interface ContainerState {
  ready: boolean;
  restarts: number;
  exitCode: number | undefined;
}

const volumeRetryMs = 300;
/** kubelet takes up to a minute. */
const volumesAgainMs = 2_000;
const restartMs = 1_000;
const probeTimeoutMs = 1_000;
/** kubelet waits for the first period; tests needn't. */
const firstProbesMs = 50;

export class RunningPod {
  readonly folder: string;
  isEnding = false;
  readonly #api: Api;
  readonly #pod: Pod;
  readonly #place: PodPlace;
  readonly #containers = new Map<string, RunningContainer>();
  readonly #states = new Map<string, ContainerState>();
  readonly #started = secondsNow();
  /** Whether it was ready when that was told last, and since when it was so: `minReadySeconds` counts from then. */
  #told = { isReady: false, since: this.#started };
  #over: Promise<void> | undefined;
  #gone: Promise<void> | undefined;

  constructor(api: Api, pod: Pod, place: PodPlace) {
    this.#api = api;
    this.#pod = pod;
    this.#place = place;
    this.folder = place.folder;
    for (const { name } of pod.spec.containers)
      this.#states.set(name, { ready: false, restarts: 0, exitCode: undefined });
  }

  /** Until it is ended, or all its containers have ended for good. Never rejects. */
  async run(): Promise<void> {
    this.#over = this.#runAll().catch((error: unknown) => this.#say(`cannot run: ${String(error)}`));
    await this.#over;
  }

  async end(graceMs: number): Promise<void> {
    if (this.isEnding) return this.#gone;
    this.isEnding = true;
    this.#gone = this.#end(graceMs);
    return this.#gone;
  }

  async #end(graceMs: number): Promise<void> {
    await Promise.all([...this.#containers.values()].map((container) => container.stop(graceMs)));
    await this.#over;
    if (this.#pod.spec.hostNetwork !== true) removeAddress(this.#place.address);
  }

  async #runAll(): Promise<void> {
    const volumes = path.join(this.folder, "volumes");
    mkdirSync(volumes, { recursive: true });
    while (!this.isEnding) {
      const fault = await layOut(this.#api, this.#named(), volumes).then(
        () => undefined,
        (error: unknown) => String(error),
      );
      if (fault === undefined) break;
      await sleep(volumeRetryMs);
    }
    // What can't be read now stays as it is.
    const again = setInterval(
      () => void layOutAgain(this.#api, this.#named(), volumes).catch(() => undefined),
      volumesAgainMs,
    );
    const all = this.#pod.spec.containers.map((container) => this.#runContainer(container, volumes));
    await Promise.all(all).finally(() => clearInterval(again));
    if (this.isEnding) return;
    const hasFailed = [...this.#states.values()].some(({ exitCode }) => exitCode !== 0);
    await this.#tell(hasFailed ? "Failed" : "Succeeded");
  }

  async #runContainer(container: Container, volumes: string): Promise<void> {
    const { restartPolicy = "Always" } = this.#pod.spec;
    const state = this.#states.get(container.name);
    while (!this.isEnding && state !== undefined) {
      const env = await this.#environment(container);
      if (this.isEnding) return;
      const image = programOf(this.#place.images, container.image);
      const expand = (text: string) => text.replace(/\$\(([A-Za-z_][A-Za-z0-9_]*)\)/g, (all, name) => env[name] ?? all);
      const argv = [...(container.command ?? image), ...(container.args ?? [])].map(expand);
      const running = new RunningContainer({ container, argv, env, volumes, logFile: this.#logFile(container.name) });
      this.#containers.set(container.name, running);
      const probing = this.#probe(container, running, state);
      state.exitCode = await running.ended();
      running.kill();
      state.ready = false;
      await probing;
      if (restartPolicy === "Never" || (restartPolicy === "OnFailure" && state.exitCode === 0)) return;
      if (this.isEnding) return;
      state.restarts += 1;
      await this.#tell("Running");
      await sleep(restartMs);
    }
  }

  async #probe(container: Container, running: RunningContainer, state: ContainerState): Promise<void> {
    const { readinessProbe: probe } = container;
    let isOver = false;
    void running.ended().then(() => {
      isOver = true;
    });
    if (probe === undefined) state.ready = true;
    await this.#tell("Running");
    let failures = 0;
    while (probe !== undefined && !isOver && !this.isEnding) {
      const isGood = await this.#isGood(container, probe);
      failures = isGood ? 0 : failures + 1;
      const ready = isGood || (state.ready && failures < (probe.failureThreshold ?? 3));
      if (ready !== state.ready && !isOver) {
        state.ready = ready;
        await this.#tell("Running");
      }
      await Promise.race([running.ended(), sleep(state.ready ? (probe.periodSeconds ?? 10) * 1_000 : firstProbesMs)]);
    }
  }

  #isGood(container: Container, { httpGet, tcpSocket }: Probe): Promise<boolean> {
    const host = this.#place.address;
    if (httpGet !== undefined) {
      const port = portOf(container, httpGet.port);
      const options = { host, port, path: httpGet.path ?? "/", timeout: probeTimeoutMs, agent: false };
      return new Promise((resolve) => {
        const isTls = httpGet.scheme === "HTTPS";
        // As kubelet does: it is asked whether it is well, not who it is.
        const request = isTls ? askHttps({ ...options, rejectUnauthorized: false }) : askHttp(options);
        request.on("response", (answer) => {
          answer.resume();
          resolve((answer.statusCode ?? 500) < 400);
        });
        request.on("timeout", () => request.destroy());
        request.on("error", () => resolve(false));
        request.end();
      });
    }
    if (tcpSocket === undefined) return Promise.resolve(true);
    return new Promise((resolve) => {
      const socket = connect({ host, port: portOf(container, tcpSocket.port), timeout: probeTimeoutMs });
      const done = (isGood: boolean) => {
        socket.destroy();
        resolve(isGood);
      };
      socket.on("connect", () => done(true));
      socket.on("error", () => done(false));
      socket.on("timeout", () => done(false));
    });
  }

  async #environment({ env = [], envFrom = [] }: Container): Promise<Record<string, string>> {
    const { namespace, name } = this.#pod.metadata;
    const made: Record<string, string> = {
      // A container has `node` in it, and it is this one.
      PATH: [path.dirname(process.execPath), ...this.#place.folders, process.env["PATH"]].join(":"),
      HOSTNAME: name,
      STAND_IN_POD_IP: this.#place.address,
      HOME: "/root",
      TMPDIR: process.env["TMPDIR"] ?? "/tmp",
      KUBERNETES_SERVICE_HOST: apiServiceAddress,
      KUBERNETES_SERVICE_PORT: "443",
    };
    for (const { secretRef, configMapRef } of envFrom) {
      const kind = secretRef === undefined ? "ConfigMap" : "Secret";
      const data = (await dataOf(this.#api, kind, namespace, (secretRef ?? configMapRef)?.name ?? "")) ?? {};
      for (const [key, value] of Object.entries(data)) made[key] = value.toString();
    }
    for (const { name: variable, value = "", valueFrom } of env) {
      const key = valueFrom?.secretKeyRef ?? valueFrom?.configMapKeyRef;
      if (valueFrom?.fieldRef !== undefined) {
        made[variable] = fieldOf(this.#pod, valueFrom.fieldRef.fieldPath, this.#named().addresses);
      } else if (key !== undefined) {
        const kind = valueFrom?.secretKeyRef === undefined ? "ConfigMap" : "Secret";
        const found = (await dataOf(this.#api, kind, namespace, key.name))?.[key.key];
        if (found === undefined && key.optional !== true) throw new Error(`${kind} ${key.name} has no ${key.key}`);
        if (found !== undefined) made[variable] = found.toString();
      } else {
        made[variable] = value.replace(/\$\(([A-Za-z_][A-Za-z0-9_]*)\)/g, (all, other) => made[other] ?? all);
      }
    }
    return made;
  }

  #named() {
    return { pod: this.#pod, addresses: { pod: this.#place.address, host: this.#place.hostAddress } };
  }

  async #tell(phase: "Running" | "Succeeded" | "Failed"): Promise<void> {
    const isReady = phase === "Running" && [...this.#states.values()].every(({ ready }) => ready);
    if (isReady !== this.#told.isReady) this.#told = { isReady, since: secondsNow() };
    const lastTransitionTime = this.#told.since;
    const condition = (type: string, isTrue: boolean) => ({
      type,
      status: isTrue ? "True" : "False",
      lastTransitionTime,
    });
    const { address, hostAddress } = this.#place;
    const status = {
      phase,
      podIP: address,
      podIPs: [{ ip: address }],
      hostIP: hostAddress,
      startTime: this.#started,
      conditions: [
        condition("PodScheduled", true),
        condition("Initialized", true),
        condition("ContainersReady", isReady),
        condition("Ready", isReady),
      ],
      containerStatuses: this.#pod.spec.containers.map(({ name, image }) => this.#statusOf(name, image, phase)),
    };
    const { namespace, name, uid } = this.#pod.metadata;
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/status`;
    // It may be gone, or another one of the same name: then nobody wants to know.
    await this.#api
      .ask("PATCH", path, { metadata: { uid }, status }, "application/merge-patch+json")
      .catch(() => undefined);
  }

  #statusOf(name: string, image: string, phase: string) {
    const { ready, restarts, exitCode } = this.#states.get(name) ?? { ready: false, restarts: 0, exitCode: undefined };
    const ended = { terminated: { exitCode: exitCode ?? 0, startedAt: this.#started, finishedAt: this.#started } };
    const state = phase === "Running" ? { running: { startedAt: this.#started } } : ended;
    return { name, image, imageID: image, containerID: `standin://${name}`, ready, restartCount: restarts, state };
  }

  #logFile(container: string): string {
    return path.join(this.folder, `${container}.log`);
  }

  #say(sentence: string): void {
    if (this.isEnding) return;
    const { namespace, name } = this.#pod.metadata;
    const logs = [...this.#states.keys()].map((container) => {
      try {
        return readFileSync(this.#logFile(container), "utf8").slice(-2_000);
      } catch {
        return "";
      }
    });
    console.error(`pod ${namespace}/${name}: ${sentence}\n${logs.join("\n")}`);
  }
}

/** As the API writes times. */
function secondsNow(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, "Z");
}
