/** The npm packages of package-lock.json, and the Node among them that runs TypeScript as it is. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { Missing } from "./missing.mjs";

const oldestNode = 20;
/** The first that runs our TypeScript without a flag and has a settled node:sqlite. */
const commandsNode = 24;

/** @param {string} root */
export function installNodeModules(root) {
  if (major(process.versions.node) < oldestNode) {
    throw new Missing(`Entrance needs Node ${oldestNode} or newer to start from; this is ${process.version}.`);
  }
  if (isInstalled(root)) return;
  console.log("Installing npm packages (once; about 600 MB on disk)…");
  // No package's own script has to run: Node, esbuild, workerd and biome come as packages of their platform.
  const args = ["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
  const npm = spawnSync("npm", args, {
    cwd: root,
    // The Node that `npm ci` is about to delete must not run it.
    env: { ...process.env, PATH: pathWithout(path.join(root, "node_modules/.bin")) },
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (npm.error !== undefined)
    throw new Missing("npm is not installed. On Debian and Ubuntu: sudo apt-get install npm");
  if (npm.status !== 0) {
    throw new Missing("npm could not install the packages (its reason stands above). When it is mended, type: npm ci");
  }
}

/**
 * npm notes what it has put into node_modules when it is done; that note against package-lock.json says whether they
 * are what this checkout wants. Packages of other platforms are in the lock alone.
 * @param {string} root
 */
export function isInstalled(root) {
  const wanted = packagesOf(path.join(root, "package-lock.json"));
  const present = packagesOf(path.join(root, "node_modules/.package-lock.json"));
  if (wanted === undefined)
    throw new Missing("package-lock.json is missing or cannot be read: git checkout package-lock.json");
  if (present === undefined) return false;
  return Object.entries(wanted).every(([name, want]) => {
    if (name === "") return true;
    const have = present[name];
    return have === undefined ? want.optional === true || want.devOptional === true : have.version === want.version;
  });
}

/**
 * @param {string} file
 * @returns {Record<string, {version?: string, optional?: boolean, devOptional?: boolean}> | undefined}
 */
function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    return undefined; // not there, or cut off: as good as not installed
  }
}

/** @param {string} root */
export function nodeProgram(root) {
  const bundled = path.join(root, "node_modules/.bin/node");
  if (existsSync(bundled)) return bundled;
  if (major(process.versions.node) >= commandsNode) return process.execPath;
  throw new Missing(
    `This needs Node ${commandsNode}, and npm brought none for ${process.platform}-${process.arch}. ` +
      (process.platform === "linux" && ["x64", "arm64"].includes(process.arch)
        ? "Type: npm ci --include=optional"
        : `Install Node ${commandsNode} or newer from https://nodejs.org and try again.`),
  );
}

/** @param {string} version */
function major(version) {
  return Number.parseInt(version, 10);
}

/** @param {string} folder */
function pathWithout(folder) {
  const folders = (process.env["PATH"] ?? "").split(path.delimiter);
  return folders.filter((each) => path.resolve(each) !== folder).join(path.delimiter);
}
