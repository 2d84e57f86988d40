/** Whether the ports that are going to be opened are free; a taken one is named with who holds it and what to change. */
import { createServer } from "node:net";
import { listenerOf } from "./process-table.ts";
import type { Settings } from "./settings.ts";

/** One sentence for each port that cannot be opened. */
export async function portFaults(ports: Settings["ports"]): Promise<string[]> {
  const twice = ports.flatMap(({ setting, port }, index) => {
    const first = ports.findIndex((each) => each.port === port);
    return first < index ? [`${setting} and ${ports[first]?.setting} both name port ${port}: change one of them.`] : [];
  });
  if (twice.length > 0) return twice;
  const faults = await Promise.all(ports.map(faultOf));
  return faults.filter((fault) => fault !== undefined);
}

async function faultOf({ setting, host, port }: Settings["ports"][number]): Promise<string | undefined> {
  const code = await openingError(host, port);
  if (code === undefined) return undefined;
  const change = `Set ${setting} to another one${setting === "ENTRANCE_LISTEN" ? ", for example 127.0.0.1:8788" : ""}.`;
  if (code === "EADDRINUSE") return `Port ${port} is in use by ${listenerOf(port) ?? "another process"}. ${change}`;
  if (code === "EACCES") return `Port ${port} may not be opened by this user. ${change}`;
  return `${host}:${port} cannot be opened (${code}). ${change}`;
}

function openingError(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
