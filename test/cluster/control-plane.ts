/** etcd, kube-apiserver and the controller manager: real ones, on addresses of this namespace. */
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { addAddress, apiServiceAddress, apiserverAddress, apiserverPort, serviceRange } from "./address.ts";
import { Api } from "./api.ts";
import { Authority } from "./authority.ts";
import { Daemon } from "./daemon.ts";
import type { Programs } from "./programs.ts";

export const adminToken = "the-administrators-token";
const etcdUrl = "http://127.0.0.1:2379";
const etcdPeer = "http://127.0.0.1:2380";
const issuer = "https://kubernetes.default.svc.cluster.local";

/** What the apiserver is told of audit; both are files, as it wants them. */
export interface Audit {
  readonly policyFile: string;
  readonly webhookFile: string;
  readonly more?: readonly string[];
}

export class ControlPlane {
  readonly api: Api;
  readonly authority: Authority;
  readonly kubeconfig: string;
  readonly #folder: string;
  readonly #programs: Programs;
  #etcd: Daemon | undefined;
  #apiserver: Daemon | undefined;
  #controllers: Daemon | undefined;
  #audit: Audit | undefined;

  constructor(folder: string, programs: Programs) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#programs = programs;
    this.authority = new Authority(path.join(folder, "pki"), "the cluster");
    const url = `https://${apiserverAddress}:${apiserverPort}`;
    this.api = new Api(url, this.authority.file, adminToken);
    this.kubeconfig = this.#write("kubeconfig.json", JSON.stringify(this.#kubeconfigOf(url)));
  }

  async start(): Promise<void> {
    addAddress(apiserverAddress);
    this.#prepare();
    await this.startEtcd();
    await this.startApiserver();
    this.#controllers = await this.#startControllers();
  }

  async startEtcd(): Promise<void> {
    const data = path.join(this.#folder, "etcd");
    const urls = ["--listen-client-urls", etcdUrl, "--advertise-client-urls", etcdUrl];
    const peers = ["--listen-peer-urls", etcdPeer, "--initial-advertise-peer-urls", etcdPeer];
    const timing = ["--heartbeat-interval", "50", "--election-timeout", "500"];
    this.#etcd = await this.#daemon(
      "etcd",
      this.#programs.etcd,
      [
        ...["--data-dir", data, "--name", "default", "--initial-cluster", `default=${etcdPeer}`],
        ...urls,
        ...peers,
        ...timing,
        ...["--log-level", "warn"],
      ],
      () => isHealthy(`${etcdUrl}/health`),
    );
  }

  async startApiserver(): Promise<void> {
    const { certificate, key } = this.#serving;
    const audit = this.#audit;
    const flags: Readonly<Record<string, string>> = {
      "etcd-servers": etcdUrl,
      "service-cluster-ip-range": serviceRange,
      "bind-address": apiserverAddress,
      "advertise-address": apiserverAddress,
      "secure-port": String(apiserverPort),
      "tls-cert-file": certificate,
      "tls-private-key-file": key,
      "client-ca-file": this.authority.file,
      "service-account-key-file": this.#file("service-account.pub"),
      "service-account-signing-key-file": this.#file("service-account.key"),
      "service-account-issuer": issuer,
      "token-auth-file": this.#file("tokens.csv"),
      "authorization-mode": "RBAC",
      // There is no kube-proxy: webhooks that name a Service are called at its endpoints.
      "enable-aggregator-routing": "true",
      "allow-privileged": "true",
      profiling: "false",
      ...(audit === undefined
        ? {}
        : { "audit-policy-file": audit.policyFile, "audit-webhook-config-file": audit.webhookFile }),
    };
    const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    this.#apiserver = await this.#daemon(
      "kube-apiserver",
      this.#programs["kube-apiserver"],
      [...args, ...(audit?.more ?? [])],
      () => this.api.isReady(),
    );
  }

  /** As on a real machine: its flags are changed by starting it anew. */
  async restartApiserver(audit: Audit | undefined): Promise<void> {
    this.#audit = audit;
    await Promise.all([this.#apiserver?.end(), this.#controllers?.end()]);
    await this.startApiserver();
    this.#controllers = await this.#startControllers();
  }

  async killApiserver(): Promise<void> {
    await this.#apiserver?.end("SIGKILL");
  }

  /** A backup of all objects, as an operator makes it. */
  backup(name: string): string {
    const file = this.#file(`${name}.backup`);
    rmSync(file, { force: true });
    execFileSync(this.#programs.etcdctl, ["--endpoints", etcdUrl, "snapshot", "save", file], { stdio: "ignore" });
    return file;
  }

  /** The cluster as it was when the backup was made; `more`: such as `--bump-revision`. */
  async restore(backup: string, more: readonly string[] = []): Promise<void> {
    await Promise.all([this.#apiserver?.end(), this.#controllers?.end()]);
    await this.#etcd?.end();
    const data = this.#file("etcd");
    rmSync(data, { recursive: true, force: true });
    const member = [
      "--name",
      "default",
      "--initial-cluster",
      `default=${etcdPeer}`,
      "--initial-advertise-peer-urls",
      etcdPeer,
    ];
    execFileSync(this.#programs.etcdutl, ["snapshot", "restore", backup, "--data-dir", data, ...member, ...more], {
      stdio: "ignore",
    });
    await this.startEtcd();
    await this.startApiserver();
    this.#controllers = await this.#startControllers();
  }

  /** Pages of a LIST that began before are expired. */
  async compact(): Promise<void> {
    const { metadata } = await this.api.list("/api/v1/namespaces");
    execFileSync(this.#programs.etcdctl, ["--endpoints", etcdUrl, "compaction", metadata.resourceVersion], {
      stdio: "ignore",
    });
  }

  get #serving(): { certificate: string; key: string } {
    return { certificate: this.#file("apiserver.crt"), key: this.#file("apiserver.key") };
  }

  #prepare(): void {
    const names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", apiserverAddress, apiServiceAddress];
    const issued = this.authority.issue("/CN=kube-apiserver", names);
    execFileSync("cp", [issued.certificate, this.#serving.certificate]);
    execFileSync("cp", [issued.key, this.#serving.key]);
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#write("service-account.key", privateKey.export({ type: "pkcs8", format: "pem" }).toString());
    this.#write("service-account.pub", publicKey.export({ type: "spki", format: "pem" }).toString());
    this.#write("tokens.csv", `${adminToken},admin,admin,system:masters\n`);
  }

  #startControllers(): Promise<Daemon> {
    const flags = {
      kubeconfig: this.kubeconfig,
      "service-account-private-key-file": this.#file("service-account.key"),
      "root-ca-file": this.authority.file,
      "leader-elect": "false",
      "use-service-account-credentials": "false",
      controllers: "*,-node-ipam-controller,-node-lifecycle-controller",
      "bind-address": "127.0.0.1",
      // Endpoints and finished pods are looked at at once, not in batches.
      "kube-api-qps": "200",
      "kube-api-burst": "400",
    };
    const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    const program = this.#programs["kube-controller-manager"];
    // It is up when it has made the default service account; who needs that waits for it.
    return this.#daemon("kube-controller-manager", program, args, async () => true);
  }

  #daemon(name: string, program: string, args: readonly string[], isUp: () => Promise<boolean>): Promise<Daemon> {
    return Daemon.start({ name, program, args, logFile: this.#file(`${name}.log`), isUp });
  }

  #kubeconfigOf(url: string): unknown {
    return {
      apiVersion: "v1",
      kind: "Config",
      "current-context": "test",
      contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
      clusters: [{ name: "test", cluster: { server: url, "certificate-authority": this.authority.file } }],
      users: [{ name: "admin", user: { token: adminToken } }],
    };
  }

  #file(name: string): string {
    return path.join(this.#folder, name);
  }

  #write(name: string, text: string): string {
    const file = this.#file(name);
    if (!existsSync(file)) writeFileSync(file, text, { mode: 0o600 });
    return file;
  }
}

async function isHealthy(url: string): Promise<boolean> {
  const answer = await fetch(url).catch(() => undefined);
  return answer?.ok === true && (await answer.text()).includes('"true"');
}
