/**
 * The programs of a control plane, and helm, built once from Go's module proxy: go.mod and go.sum beside this say from
 * what. They lie in a cache outside the repository; who has them already names their folder by KUBEBUILDER_ASSETS, as
 * Kubernetes' own test tools do, and only what is missing there is built.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { Progress } from "./progress.ts";

const kubernetes = "v1.36.3";
/** The least that can fetch a newer one by itself, and the least that builds this. */
const oldestGo = [1, 21] as const;
const buildingGo = [1, 26] as const;

const stamps = Object.entries({ gitVersion: kubernetes, gitMajor: "1", gitMinor: "36", gitTreeState: "clean" })
  .flatMap(([name, value]) =>
    ["component-base/version", "client-go/pkg/version"].map((at) => `-X k8s.io/${at}.${name}=${value}`),
  )
  .join(" ");

const sources = {
  etcd: { module: "etcd", command: "go.etcd.io/etcd/server/v3" },
  etcdctl: { module: "etcd", command: "go.etcd.io/etcd/etcdctl/v3" },
  etcdutl: { module: "etcd", command: "go.etcd.io/etcd/etcdutl/v3" },
  helm: { module: "helm", command: "helm.sh/helm/v4/cmd/helm" },
  kubectl: { module: "kubernetes", command: "k8s.io/kubernetes/cmd/kubectl" },
  "kube-apiserver": { module: "kubernetes", command: "k8s.io/kubernetes/cmd/kube-apiserver" },
  "kube-controller-manager": { module: "kubernetes", command: "k8s.io/kubernetes/cmd/kube-controller-manager" },
} as const;

type Module = (typeof sources)[keyof typeof sources]["module"];
export type Program = keyof typeof sources;
export type Programs = Readonly<Record<Program, string>>;

/** Something is missing that this can't bring: the message says what to type. */
export class MissingProgram extends Error {}

/** A folder of the user's, outside the repository. */
export function cacheFolder(): string {
  const caches = process.env["XDG_CACHE_HOME"] || path.join(homedir(), ".cache");
  return path.join(caches, "entrance-cluster");
}

/** Where each of them lies; milliseconds once they are built. Throws {@link MissingProgram}; `signal`: it takes too long. */
export async function ensurePrograms(signal?: AbortSignal): Promise<Programs> {
  const places = (Object.keys(sources) as Program[]).map((program) => [program, placeOf(program)] as const);
  const missing = places.filter(([, place]) => !existsSync(place));
  if (missing.length > 0) {
    checkGo();
    const names = missing.map(([program]) => program).join(", ");
    console.log(`Building ${names} into ${cacheFolder()} (once; all of them: 5 to 20 minutes)…`);
    for (const [program, place] of missing) await buildProgram(program, place, signal);
  }
  return Object.fromEntries(places) as Programs;
}

function placeOf(program: Program): string {
  const assets = process.env["KUBEBUILDER_ASSETS"];
  const given = assets ? path.join(assets, program) : undefined;
  return given !== undefined && existsSync(given)
    ? given
    : path.join(cacheFolder(), fingerprint(sources[program].module), program);
}

function moduleFolder(module: Module): string {
  return path.join(import.meta.dirname, "programs", module);
}

/** What they are built from, and for what. */
function fingerprint(module: Module): string {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch} ${stampsOf(module)}`);
  for (const file of ["go.mod", "go.sum"]) hash.update(readFileSync(path.join(moduleFolder(module), file)));
  return `${module}-${hash.digest("hex").slice(0, 12)}`;
}

function stampsOf(module: Module): string {
  return module === "kubernetes" ? ` ${stamps}` : "";
}

function checkGo(): void {
  const wanted = buildingGo.join(".");
  const install =
    `Install Go ${wanted} or newer, and try again: https://go.dev/doc/install\n\n` +
    `  curl -L https://go.dev/dl/go${wanted}.0.${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}.tar.gz | ` +
    "sudo tar -C /usr/local -xz && export PATH=/usr/local/go/bin:$PATH\n\n" +
    "Or name a folder that has kube-apiserver, kube-controller-manager, kubectl, etcd, etcdctl, etcdutl and helm by KUBEBUILDER_ASSETS.";
  // Outside of any module: the version that is installed, and not one that it would fetch.
  const { status, stdout } = spawnSync("go", ["env", "GOVERSION", "GOTOOLCHAIN"], { cwd: "/", encoding: "utf8" });
  if (status !== 0)
    throw new MissingProgram(`Go is not installed; a control plane for tests is built by it. ${install}`);
  const [version = "", toolchain = ""] = stdout.trim().split("\n");
  const [, major = "0", minor = "0"] = /^go(\d+)\.(\d+)/.exec(version) ?? [];
  const isAtLeast = ([first, second]: readonly [number, number]) =>
    Number(major) > first || (Number(major) === first && Number(minor) >= second);
  const fetchesNewer = isAtLeast(oldestGo) && toolchain !== "local";
  if (!isAtLeast(buildingGo) && !fetchesNewer) {
    throw new MissingProgram(
      `Go ${wanted} or newer is needed; this is ${version || "of an unknown version"}. ${install}`,
    );
  }
}

/** Whole or not at all: it is renamed when it is done. */
async function buildProgram(program: Program, place: string, signal?: AbortSignal): Promise<void> {
  const { module, command } = sources[program];
  const part = `${place}.${process.pid}`;
  mkdirSync(path.dirname(place), { recursive: true });
  const flags = ["-trimpath", "-mod=readonly", "-ldflags", `-s -w${stampsOf(module)}`];
  const progress = new Progress(program);
  const env = { ...process.env, CGO_ENABLED: "0" };
  const child = spawn("go", ["build", "-v", ...flags, "-o", part, command], {
    cwd: moduleFolder(module),
    env,
    stdio: ["ignore", "ignore", "pipe"],
    ...(signal === undefined ? {} : { signal }),
  });
  const last: string[] = [];
  // With -v it names each package that it compiles, beside what it downloads.
  createInterface({ input: child.stderr }).on("line", (line) => {
    progress.tell(line);
    last.push(line);
    if (last.length > 20) last.shift();
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", (error) => (signal?.aborted ? resolve(null) : reject(error)));
    child.once("close", resolve);
  });
  progress.end();
  if (signal?.aborted)
    throw new MissingProgram(`${program} could not be built in time: build it by npm run test:cluster`);
  if (status !== 0) throw new MissingProgram(`${program} could not be built:\n\n${last.join("\n")}`);
  renameSync(part, place);
}

if (import.meta.main) {
  try {
    console.log(JSON.stringify(await ensurePrograms(), undefined, 2));
  } catch (error) {
    if (!(error instanceof MissingProgram)) throw error;
    console.error(`\n${error.message}\n`);
    process.exitCode = 1;
  }
}
