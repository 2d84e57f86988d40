/**
 * AWS's own DynamoDB Local, which the tests run against: its jars, from Maven Central or a mirror of it, into `.cache/`.
 * What they are is fixed by dynamodb-local.sha256: all that it loads in our tests, of version 2.6.1 and what it needs.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { Missing } from "./missing.mjs";

const central = "https://repo1.maven.org/maven2";
const atOnce = 4;
const triesEach = 3;
const jarMs = 120_000;

/** @param {string} root */
function dynamoDbLocalFolder(root) {
  return path.join(root, ".cache/dynamodb-local");
}

/** @param {string} root @returns {{path: string, sha256: string, file: string}[]} */
export function dynamoDbLocalJars(root) {
  const list = readFileSync(new URL("dynamodb-local.sha256", import.meta.url), "utf8");
  return list
    .trim()
    .split("\n")
    .map((line) => {
      const [sha256 = "", jar = ""] = line.split("  ");
      return { path: jar, sha256, file: path.join(dynamoDbLocalFolder(root), path.basename(jar)) };
    });
}

/**
 * Nothing to do, and no network, once they are there.
 * @param {string} root
 */
export async function ensureDynamoDbLocal(root) {
  const missing = dynamoDbLocalJars(root).filter(({ file }) => !existsSync(file));
  if (missing.length === 0) return;
  console.log("Fetching DynamoDB Local (once; 32 MB)…");
  mkdirSync(dynamoDbLocalFolder(root), { recursive: true });
  const repository = repositoryUrl();
  const queue = [...missing];
  const workers = Array.from({ length: atOnce }, async () => {
    for (let jar = queue.shift(); jar !== undefined; jar = queue.shift()) {
      const bytes = fromMaven(jar) ?? (await download(`${repository}/${jar.path}`, jar.sha256));
      // Whole or not at all: another run may fetch the same.
      const part = `${jar.file}.${process.pid}`;
      writeFileSync(part, bytes);
      renameSync(part, jar.file);
    }
  });
  await Promise.all(workers);
}

/** Maven's own folder may have it already. @param {{path: string, sha256: string}} jar */
function fromMaven({ path: jar, sha256 }) {
  const file = path.join(homedir(), ".m2/repository", jar);
  if (!existsSync(file)) return undefined;
  const bytes = readFileSync(file);
  return sha256Of(bytes) === sha256 ? bytes : undefined;
}

/** @param {string} url @param {string} sha256 */
async function download(url, sha256) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(jarMs) });
      if (!response.ok) throw new Error(`status ${response.status}`);
      const bytes = Buffer.from(await response.arrayBuffer());
      if (sha256Of(bytes) !== sha256) throw new Error("it has another checksum than dynamodb-local.sha256 says");
      return bytes;
    } catch (error) {
      if (attempt < triesEach) continue;
      const reason = error instanceof Error ? error.message : String(error);
      throw new Missing(
        `DynamoDB Local could not be fetched (${url}: ${reason}).\n` +
          "With a mirror of Maven Central, set MAVEN_REPOSITORY_URL to it, and type: npm run setup",
      );
    }
  }
}

/** @param {Uint8Array} bytes */
function sha256Of(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}

/** @returns {string} without a slash at its end */
function repositoryUrl() {
  const url = process.env["MAVEN_REPOSITORY_URL"] || mirrorOfSettings() || central;
  return url.replace(/\/+$/, "");
}

/** The mirror of Central that Maven would take. */
function mirrorOfSettings() {
  const file = path.join(homedir(), ".m2/settings.xml");
  if (!existsSync(file)) return undefined;
  const settings = readFileSync(file, "utf8").replace(/<!--[\s\S]*?-->/g, "");
  const mirrors = settings.match(/<mirror>[\s\S]*?<\/mirror>/g) ?? [];
  const mirror = mirrors.find((each) => /<mirrorOf>[^<]*(\*|central)[^<]*<\/mirrorOf>/.test(each));
  return /<url>\s*([^<\s]+)\s*<\/url>/.exec(mirror ?? "")?.[1];
}
