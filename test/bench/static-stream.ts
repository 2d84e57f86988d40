/** nginx's own proxy of connections and datagrams, as a person would write it, and something behind it that answers. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findInstallation } from "../../infra/openresty/prepare/installation.ts";
import { freePorts } from "../harness/free-ports.ts";

export interface StaticStream {
  readonly tcp: number;
  readonly udp: number;
  readonly pid: number;
  stop(): Promise<void>;
}

export function startStreamProxy(to: { readonly tcp: number; readonly udp: number }): Promise<StaticStream> {
  return start(
    (tcp, udp) => `
server { listen ${tcp} backlog=4096; proxy_pass 127.0.0.1:${to.tcp}; }
server { listen ${udp} udp reuseport; proxy_timeout 60s; proxy_pass 127.0.0.1:${to.udp}; }`,
  );
}

/** Answers datagrams; connections belong to somebody who speaks HTTP. */
export function startDatagramBackend(): Promise<StaticStream> {
  return start(
    (tcp, udp) => `
server { listen 127.0.0.1:${tcp}; return ok; }
server { listen 127.0.0.1:${udp} udp; return ok; }`,
  );
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

async function start(servers: (tcp: number, udp: number) => string): Promise<StaticStream> {
  const directory = mkdtempSync(join(tmpdir(), "entrance-stream-"));
  mkdirSync(join(directory, "logs"));
  const [tcp = 0, udp = 0] = await freePorts(2);
  const { command, modules } = findInstallation();
  // Workers that change their user can't be measured.
  const user = process.getuid?.() === 0 ? "user root;\n" : "";
  const configuration = `${modules.map((path) => `load_module ${path};\n`).join("")}${user}worker_processes 1;
daemon off;
pid logs/nginx.pid;
error_log logs/error.log;
events { worker_connections 4096; }
stream { ${servers(tcp, udp)} }
`;
  writeFileSync(join(directory, "nginx.conf"), configuration);
  const child = spawn(command, ["-p", directory, "-c", "nginx.conf", "-e", "logs/error.log"], {
    // A session of its own, as the node has one: the kernel shares out CPUs by session.
    detached: true,
    stdio: "inherit",
  });
  for (let attempt = 0; attempt < 200 && !(await answers(tcp)); attempt += 1) await sleep(20);
  return {
    tcp,
    udp,
    pid: child.pid ?? 0,
    async stop() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
