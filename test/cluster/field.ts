/** The whole: a control plane, the machine that runs pods, and what tests need to know of both. */
import path from "node:path";
import type { Issued } from "./authority.ts";
import { takeCommands } from "./command.ts";
import { ControlPlane } from "./control-plane.ts";
import { Daemon } from "./daemon.ts";
import { installPrograms } from "./images.ts";
import { Kubelet } from "./kubelet.ts";
import type { Programs } from "./programs.ts";
import { ServiceNetwork } from "./service-network.ts";

/** What goes to the tests, which run in processes of their own. */
export interface Facts {
  readonly url: string;
  readonly caFile: string;
  readonly kubeconfig: string;
  readonly kubectl: string;
  readonly helm: string;
  readonly etcdctl: string;
  /** The URL of Entrance's own etcd. */
  readonly store: string;
  /** Files, of the user `tester` in the group `entrance-tests`, whom nobody allows anything. */
  readonly clientCertificate: Issued;
  /** Where the control plane takes commands. */
  readonly commands: string;
  readonly folder: string;
}

declare module "vitest" {
  interface ProvidedContext {
    field: Facts;
  }
}

export interface Field {
  readonly facts: Facts;
}

export async function startField(folder: string, programs: Programs): Promise<Field> {
  const plane = new ControlPlane(path.join(folder, "control-plane"), programs);
  const [images] = await Promise.all([installPrograms(programs), plane.start(), startStore(folder, programs)]);
  const kubelet = new Kubelet(plane.api, path.join(folder, "pods"), images);
  await kubelet.start();
  await new ServiceNetwork(plane.api).start();
  return {
    facts: {
      url: plane.api.url,
      caFile: plane.authority.file,
      kubeconfig: plane.kubeconfig,
      kubectl: programs.kubectl,
      helm: programs.helm,
      etcdctl: programs.etcdctl,
      store: storeUrl,
      commands: await takeCommands(plane),
      clientCertificate: plane.authority.issue("/O=entrance-tests/CN=tester"),
      folder,
    },
  };
}

const storeUrl = "http://127.0.0.1:2479";

/** Entrance's own etcd: that of the cluster can be restored to a backup without it. */
function startStore(folder: string, { etcd }: Programs): Promise<Daemon> {
  const peer = "http://127.0.0.1:2480";
  const args = [
    ...["--name", "default", "--data-dir", path.join(folder, "store"), "--initial-cluster", `default=${peer}`],
    ...["--listen-client-urls", storeUrl, "--advertise-client-urls", storeUrl],
    ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--log-level", "warn"],
  ];
  const isUp = async () => (await fetch(`${storeUrl}/health`).catch(() => undefined))?.ok === true;
  return Daemon.start({ name: "etcd", program: etcd, args, logFile: path.join(folder, "store.log"), isUp });
}
