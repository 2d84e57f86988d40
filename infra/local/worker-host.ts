/**
 * Entrance in workerd, as a child of `npm start`: the only file that knows miniflare.
 *
 *   node worker-host.ts BUNDLE.js FOLDER      settings (ENTRANCE_…, AWS_…) come by the environment and go on as bindings
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { Log, LogLevel, Miniflare } from "miniflare";
import { wrangler } from "../wrangler.ts";
import { readSettings } from "./settings.ts";

const [script, folder] = process.argv.slice(2);
if (script === undefined || folder === undefined) throw new Error("worker-host.ts needs BUNDLE.js and FOLDER");
const { listen, tls } = readSettings(process.env);

/** A worker has nothing to find AWS's credentials in by itself. */
function isSetting(name: string): boolean {
  return name.startsWith("ENTRANCE_") || /^AWS_(REGION|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)$/.test(name);
}

/** An alarm that came due while nothing ran is what a restart is for, and it does fire. */
const expected = /SQLite alarm overdue, running despite AlarmManager mismatch/;

const miniflare = new Miniflare({
  host: listen.host,
  port: listen.port,
  modules: [{ type: "ESModule", path: "worker.js", contents: readFileSync(script, "utf8") }],
  compatibilityDate: wrangler.compatibility_date,
  compatibilityFlags: wrangler.compatibility_flags,
  bindings: {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => isSetting(name))),
    // The worker sees no socket: without this it takes itself for open to all.
    ENTRANCE_LISTEN: `${listen.host}:${listen.port}`,
  },
  durableObjects: Object.fromEntries(
    wrangler.durable_objects.bindings.map(({ name, class_name }) => [name, { className: class_name, useSQLite: true }]),
  ),
  durableObjectsPersist: folder,
  ...(tls === undefined ? {} : { https: true, httpsCertPath: tls.certificate, httpsKeyPath: tls.key }),
  cf: false, // else it asks the internet what a request's `cf` might look like
  log: new Log(LogLevel.WARN),
  handleRuntimeStdio: (stdout: Readable, stderr: Readable) => {
    stdout.pipe(process.stdout);
    createInterface({ input: stderr }).on("line", (line) => {
      if (!expected.test(line)) console.error(line);
    });
    // workerd has died: who started us starts both again.
    stdout.once("end", () => process.exit(1));
  },
});
await miniflare.ready;

// Crons do not fire on their own here.
const worker = await miniflare.getWorker();
for (const cron of wrangler.triggers.crons) {
  const everyMs = periodMs(cron);
  setInterval(() => {
    worker.scheduled({ cron }).catch((error: unknown) => console.error(`cron ${cron} failed:`, error));
  }, everyMs);
}

/** Only the form that wrangler.toml has: every so many minutes. */
function periodMs(cron: string): number {
  const [, minutes] = /^\*\/(\d+) \* \* \* \*$/.exec(cron) ?? [];
  if (minutes === undefined) throw new Error(`wrangler.toml: only crons of the form */N * * * * run here, not ${cron}`);
  return Number(minutes) * 60_000;
}
