/** The entry for Node: a process of its own, on a machine or in a pod. */
import { createServer, type ServerOptions } from "node:https";
import { join } from "node:path";
import { type ServerType, serve } from "@hono/node-server";
import { KubernetesObjects } from "../shared/kubernetes/objects.ts";
import { EntranceError } from "../shared/model/error.ts";
import { openNodeStore } from "../shared/store/node-sqlite.ts";
import type { Store } from "../shared/store/port.ts";
import { assemble } from "./assemble.ts";
import { type Config, readConfig } from "./config.ts";
import { ending, keepAliveMs } from "./ending.ts";
import { isKnownCaller } from "./known-caller.ts";
import { openKubeAccess } from "./kube-files.ts";
import { trustNodeAuthorities } from "./node-authorities.ts";
import { fetchOf } from "./node-fetch.ts";
import { NodeHost } from "./node-host.ts";
import { type Served, Serving } from "./serving/serving.ts";
import { openSharedStore } from "./shared-store.ts";

/** After a signal: so long for requests and work that have begun. */
const shutdownMs = 10_000;

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const nodeAuthorities = trustNodeAuthorities(config.nodeAuthorities);
  const store = await openStore(config);
  const host = new NodeHost();
  const access = config.kubernetes === undefined ? undefined : openKubeAccess(config.kubernetes);
  const serving = new Serving(config, access === undefined ? undefined : new KubernetesObjects(access));
  const { app, tick } = assemble(config, store, host, {
    access,
    fetchOf: (balancer) => fetchOf(balancer, () => serving.nodeAuthorities, nodeAuthorities),
    isKnownCaller: config.clientAuthorities === undefined ? undefined : isKnownCaller,
  });
  host.onWake(tick);
  const { listen } = config;
  const served = await serving.first();
  const tls = served === undefined ? {} : { createServer, serverOptions: serverOptions(config, served) };
  const server = serve({ fetch: app.fetch, hostname: listen.host, port: listen.port, ...tls }, () => {
    console.log(`entrance: listening on ${listen.host}:${listen.port}`);
    host.wakeAt(Date.now());
  });
  server.on("error", (error) => {
    const inUse = "code" in error && error.code === "EADDRINUSE";
    stop(inUse ? `${listen.host}:${listen.port} is in use: set ENTRANCE_LISTEN to another one` : error.message);
  });
  const lookAgain = serving.follow((next) => serveWith(server, next));
  if (served !== undefined) process.on("SIGHUP", () => void lookAgain());
  const end = ending(server, served !== undefined);
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      setTimeout(() => process.exit(1), shutdownMs).unref();
      end(() => {
        void host
          .settled()
          .then(() => store.close())
          .then(() => process.exit(0));
      });
    });
  }
}

async function openStore({ store, dataDirectory }: Config): Promise<Store> {
  return store.type === "embedded" ? openNodeStore(join(dataDirectory, "entrance.sqlite")) : openSharedStore(store);
}

/** Whoever shows no certificate, or a stranger's, may still have a token. */
function serverOptions({ clientAuthorities }: Config, served: Served): ServerOptions {
  const asks = { requestCert: clientAuthorities !== undefined, rejectUnauthorized: false };
  return { ...served, ...asks, keepAliveTimeout: keepAliveMs };
}

/** Throws where it cannot be used: then the old one stays in use. */
function serveWith(server: ServerType, served: Served): void {
  if ("setSecureContext" in server) server.setSecureContext(served);
}

function stop(sentence: string): never {
  console.error(`entrance: ${sentence}`);
  process.exit(1);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof EntranceError)) throw error;
  stop(error.message);
}
