/** The programs that come from the operating system. Looked for on the PATH and by one dpkg-query: milliseconds. */
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Missing } from "./missing.mjs";

/** What a node consists of on Debian and Ubuntu. Where OpenResty is installed it takes the place of all of them. */
const nodePackages = [
  "nginx",
  "libnginx-mod-http-lua",
  "libnginx-mod-stream",
  "lua-resty-core",
  "lua-resty-lrucache",
  "lua-cjson",
];

/** A program that makes the packages beside it unnecessary, and what to install where there is no dpkg. */
const requirements = {
  node: { program: "openresty", packages: nodePackages, elsewhere: "OpenResty (https://openresty.org)" },
  lint: { program: "luacheck", packages: ["lua-check"], elsewhere: "luacheck (luarocks install luacheck)" },
  load: { program: "wrk", packages: ["wrk"], elsewhere: "wrk" },
  certificates: { program: "openssl", packages: ["openssl"], elsewhere: "openssl" },
  http2: { program: "curl", packages: ["curl"], elsewhere: "curl" },
  etcd: { program: "etcd", packages: ["etcd-server"], elsewhere: "etcd (https://etcd.io)" },
  /** DynamoDB Local runs in it. */
  java: { program: "java", packages: ["default-jre-headless"], elsewhere: "Java 17 or newer" },
};

/** Where programs lie that few have on their PATH. */
const beyondPath = ["/usr/sbin", "/usr/local/openresty/bin"];

/** @typedef {keyof typeof requirements} Requirement */

/** @type {Requirement[]} `npm run setup` brings everything, so that later commands need no network. */
const everything = ["node", "lint", "load", "certificates", "http2", "etcd", "java"];

/** @type {Record<string, Requirement[]>} */
const neededBy = {
  "infra/local/start.ts": ["node"],
  "infra/local/apply.ts": [],
  "infra/build.ts": [],
  "functions/operator.ts": [],
  "infra/check.ts": ["lint"],
  "test/run.ts": everything,
  "test/bench/main.ts": ["node", "load", "certificates"],
  "test/cluster/main.ts": ["node", "certificates"],
};

/** @param {string | undefined} command the file that is about to run; none: everything */
export function ensureSystem(command) {
  const wanted = (command === undefined ? undefined : neededBy[command]) ?? everything;
  const missing = missingPackages(wanted);
  if (missing.length === 0) return;
  const script = fileURLToPath(new URL("install-packages.sh", import.meta.url));
  const toType = `sudo sh ${script} ${missing.join(" ")}`;
  const shell = rootShell();
  if (shell === undefined) throw new Missing(`System packages are missing. Type this, then try again:\n\n  ${toType}`);
  console.log(`Installing system packages (once): ${missing.join(" ")}`);
  // Ctrl-C reaches apt-get as well: let it end first, so that the script can clean up.
  const wait = () => undefined;
  process.on("SIGINT", wait);
  const { status } = spawnSync(shell[0], [...shell[1], script, ...missing], { stdio: "inherit" });
  process.off("SIGINT", wait);
  if (status !== 0) {
    throw new Missing(`System packages could not be installed (apt-get says why above). Then type:\n\n  ${toType}`);
  }
}

/** @param {Requirement[]} wanted @returns {string[]} */
export function missingPackages(wanted) {
  const unmet = wanted.map((name) => requirements[name]).filter(({ program }) => !isOnPath(program));
  const packages = unmet.flatMap((requirement) => requirement.packages);
  if (packages.length === 0) return [];
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query has such placeholders, too
  const query = spawnSync("dpkg-query", ["--show", "--showformat=${Package} ${db:Status-Status}\\n", ...packages], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"], // it says on stderr what it does not know, which is what we ask
  });
  if (query.error !== undefined) {
    const names = unmet.map((requirement) => requirement.elsewhere);
    throw new Missing(
      `This is neither Debian nor Ubuntu. Install these, on the PATH, and try again: ${names.join(", ")}`,
    );
  }
  const installed = new Set(query.stdout.split("\n"));
  return packages.filter((name) => !installed.has(`${name} installed`));
}

/** @returns {[string, string[]] | undefined} how to run a script as root without being asked anything, if at all */
function rootShell() {
  if (process.getuid?.() === 0) return ["sh", []];
  return spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status === 0 ? ["sudo", ["-n", "sh"]] : undefined;
}

/** @param {string} program */
function isOnPath(program) {
  return [...(process.env["PATH"] ?? "").split(path.delimiter), ...beyondPath].some((folder) => {
    try {
      accessSync(path.join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
