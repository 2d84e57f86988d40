/** A pod's volumes, as folders: Secrets, ConfigMaps, its service account, and empty ones. */
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Api } from "./api.ts";
import { fieldOf, type Pod, type Source } from "./pod.ts";

interface Place {
  readonly pod: Pod;
  readonly addresses: { readonly pod: string; readonly host: string };
}

/** Throws where something that a volume needs is not there yet, as kubelet waits for it. */
export async function layOut(api: Api, place: Place, folder: string): Promise<void> {
  for (const volume of place.pod.spec.volumes ?? []) {
    const directory = path.join(folder, volume.name);
    const lasting = lastingOf(place.pod, volume);
    if (lasting !== undefined) {
      mkdirSync(lasting, { recursive: true });
      rmSync(directory, { force: true });
      symlinkSync(lasting, directory);
      continue;
    }
    mkdirSync(directory, { recursive: true });
    await fill(api, place, volume, directory);
  }
}

/** Secrets and ConfigMaps that have changed since, as kubelet does: a file is as it was or as it is, and so are all. */
export async function layOutAgain(api: Api, place: Place, folder: string): Promise<void> {
  for (const volume of place.pod.spec.volumes ?? []) {
    if (volume.secret !== undefined || volume.configMap !== undefined) {
      await fill(api, place, volume, path.join(folder, volume.name));
    }
  }
}

/** What outlives the pod. */
function lastingOf({ metadata }: Pod, { hostPath, persistentVolumeClaim }: Source): string | undefined {
  if (hostPath !== undefined) return hostPath.path;
  const claim = persistentVolumeClaim?.claimName;
  return claim === undefined ? undefined : `/var/lib/claims/${metadata.namespace}/${claim}`;
}

async function fill(api: Api, place: Place, source: Source, directory: string): Promise<void> {
  const { pod, addresses } = place;
  const { namespace } = pod.metadata;
  for (const part of source.projected?.sources ?? []) await fill(api, place, part, directory);
  for (const kind of ["Secret", "ConfigMap"] as const) {
    const wanted = kind === "Secret" ? source.secret : source.configMap;
    if (wanted === undefined) continue;
    const name = "secretName" in wanted ? (wanted.secretName ?? "") : (wanted.name ?? "");
    const data = await dataOf(api, kind, namespace, name);
    if (data === undefined && wanted.optional === true) continue;
    if (data === undefined) throw new Error(`${kind} ${name} is not there`);
    const items = wanted.items ?? Object.keys(data).map((key) => ({ key, path: key }));
    const files = new Map<string, Buffer>();
    for (const { key, path: file } of items) {
      const content = data[key];
      if (content === undefined) throw new Error(`${kind} ${name} has no ${key}`);
      files.set(file, content);
    }
    replace(directory, files);
  }
  if (source.serviceAccountToken !== undefined) {
    const { path: file, audience, expirationSeconds = 3_600 } = source.serviceAccountToken;
    const account = pod.spec.serviceAccountName ?? "default";
    write(directory, file, await tokenOf(api, namespace, account, pod, audience, expirationSeconds));
  }
  for (const { path: file, fieldRef } of source.downwardAPI?.items ?? []) {
    write(directory, file, fieldOf(pod, fieldRef.fieldPath, addresses));
  }
}

/** Undefined: there is no such object. */
export async function dataOf(
  api: Api,
  kind: "Secret" | "ConfigMap",
  namespace: string,
  name: string,
): Promise<Readonly<Record<string, Buffer>> | undefined> {
  const object = await api.get({ apiVersion: "v1", kind, metadata: { namespace, name } });
  if (object === undefined) return undefined;
  const data = (object["data"] ?? {}) as Readonly<Record<string, string>>;
  const encoding = kind === "Secret" ? "base64" : "utf8";
  return Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text, encoding)]));
}

async function tokenOf(
  api: Api,
  namespace: string,
  account: string,
  { metadata }: Pod,
  audience: string | undefined,
  expirationSeconds: number,
): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
  const answer = await api.must("POST", path, {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: {
      ...(audience === undefined ? {} : { audiences: [audience] }),
      expirationSeconds,
      boundObjectRef: { apiVersion: "v1", kind: "Pod", name: metadata.name, uid: metadata.uid },
    },
  });
  return (answer["status"] as { token: string }).token;
}

/** The files are links into a folder that is another one at once. */
function replace(directory: string, files: ReadonlyMap<string, Buffer>): void {
  const isSame = [...files].every(([file, content]) => isThere(path.join(directory, file), content));
  if (isSame) return;
  const data = path.join(directory, "..data");
  const next = `..${process.hrtime.bigint()}`;
  for (const [file, content] of files) write(path.join(directory, next), file, content);
  symlinkSync(next, `${data}.next`);
  renameSync(`${data}.next`, data);
  for (const file of files.keys()) {
    const place = path.join(directory, file);
    if (isThere(place)) continue;
    mkdirSync(path.dirname(place), { recursive: true });
    symlinkSync(
      path.join(
        ...file
          .split("/")
          .slice(1)
          .map(() => ".."),
        "..data",
        file,
      ),
      place,
    );
  }
}

function isThere(file: string, content?: Buffer): boolean {
  try {
    const found = readFileSync(file);
    return content === undefined || found.equals(content);
  } catch {
    return false;
  }
}

function write(directory: string, file: string, content: string | Buffer): void {
  const place = path.join(directory, file);
  mkdirSync(path.dirname(place), { recursive: true });
  writeFileSync(place, content);
}
