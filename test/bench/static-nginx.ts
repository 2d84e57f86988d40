/** nginx as a static proxy and as a backend: what the node is compared with. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { requestIdConf } from "../../infra/openresty/prepare/log.ts";
import type { Pair } from "../harness/certificate.ts";
import { freePorts } from "../harness/free-ports.ts";
import { request } from "../harness/node.ts";

export interface StaticNginx {
  readonly port: number;
  /** Where it is asked by TLS, if it was given a certificate. */
  readonly tlsPort: number;
  readonly pid: number;
  stop(): Promise<void>;
}

const temp = ["body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => {
  const directive = name === "body" ? "client_body" : name;
  return `${directive}_temp_path temp/${name};`;
});

/** The same log as the node's, so that what is compared is routing: all but what only a node knows. */
const nodeConf = readFileSync(join(import.meta.dirname, "../../infra/openresty/nginx.conf"), "utf8");
const logFormat =
  requestIdConf("00000000") + (/^ *log_format [^;]+;/m.exec(nodeConf)?.[0] ?? "").replaceAll(/\$met_(rule|pool)/g, "");

/** As the node has it, but for where the certificate comes from. */
const tlsConf = readFileSync(join(import.meta.dirname, "../../infra/openresty/tls.conf"), "utf8");
const tls = `ssl_certificate chain.pem; ssl_certificate_key key.pem;
${[...tlsConf.matchAll(/^ssl_(?!certificate)[^;]+;/gm)].map(([line]) => line).join("\n")}`;

/** Proxies everything to one backend with keepalive, as a person would write it. */
export function startStaticProxy(backendPort: number, wrap: readonly string[] = [], pair?: Pair): Promise<StaticNginx> {
  return start(
    (port, tlsPort) => `
upstream backend { server 127.0.0.1:${backendPort}; keepalive 1024; keepalive_requests 10000; }
${logFormat}
server {
  listen 127.0.0.1:${port};
  ${pair === undefined ? "" : `listen 127.0.0.1:${tlsPort} ssl; ${tls}`}
  access_log logs/access.log entrance buffer=64k flush=1s;
  location / {
    proxy_pass http://backend;
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header Connection "";
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Host $http_host;
  }
}`,
    wrap,
    pair,
  );
}

export function startStaticBackend(text = "hello\\n"): Promise<StaticNginx> {
  return start((port) => `server { listen 127.0.0.1:${port}; access_log off; location / { return 200 "${text}"; } }`);
}

async function start(
  servers: (port: number, tlsPort: number) => string,
  wrap: readonly string[] = [],
  pair?: Pair,
): Promise<StaticNginx> {
  const directory = mkdtempSync(join(tmpdir(), "entrance-static-"));
  for (const name of ["logs", "temp"]) mkdirSync(join(directory, name));
  const [port = 0, tlsPort = 0] = await freePorts(2);
  if (pair !== undefined) {
    writeFileSync(join(directory, "chain.pem"), pair.chain);
    writeFileSync(join(directory, "key.pem"), pair.key, { mode: 0o600 });
  }
  // Workers that change their user can't be measured.
  const user = process.getuid?.() === 0 ? "user root;\n" : "";
  const configuration = `${user}worker_processes 1;
daemon off;
pid logs/nginx.pid;
error_log logs/error.log;
events { worker_connections 4096; }
http {
  ${temp.join("\n  ")}
  keepalive_requests 10000;
  ${servers(port, tlsPort)}
}
`;
  writeFileSync(join(directory, "nginx.conf"), configuration);
  const command = [...wrap, "nginx", "-p", directory, "-c", "nginx.conf", "-e", "logs/error.log"];
  // A session of its own, as the node has one: the kernel shares out CPUs by session.
  const child: ChildProcess = spawn(command[0] ?? "", command.slice(1), { detached: true, stdio: "inherit" });
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const answer = await request(port, "/").catch(() => undefined);
    if (answer !== undefined) break;
    await sleep(20);
  }
  return {
    port,
    tlsPort,
    pid: child.pid ?? 0,
    async stop() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
