/** What tests have the control plane do: it belongs to the first process, and they run in others. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import * as v from "valibot";
import type { Audit, ControlPlane } from "./control-plane.ts";

const Command = v.variant("do", [
  /** With other flags for audit; `null`: with none. */
  v.object({
    do: v.literal("restart-apiserver"),
    audit: v.nullable(v.object({ policyFile: v.string(), webhookFile: v.string(), more: v.array(v.string()) })),
  }),
  v.object({ do: v.literal("kill-apiserver") }),
  v.object({ do: v.literal("start-apiserver") }),
  v.object({ do: v.literal("backup"), name: v.string() }),
  v.object({ do: v.literal("restore"), file: v.string(), more: v.array(v.string()) }),
  /** What the API keeps of the past is thrown away. */
  v.object({ do: v.literal("compact") }),
]);

export type Command = v.InferOutput<typeof Command>;

/** Its URL. */
export async function takeCommands(plane: ControlPlane): Promise<string> {
  const server = createServer(async (request, response) => {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const done = await obey(plane, v.parse(Command, JSON.parse(Buffer.concat(chunks).toString())));
      response.end(JSON.stringify(done ?? null));
    } catch (error) {
      response.writeHead(500).end(error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** From a test. */
export async function command(url: string, what: Command): Promise<unknown> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(what) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${what.do}: ${text}`);
  return JSON.parse(text);
}

async function obey(plane: ControlPlane, what: Command): Promise<unknown> {
  switch (what.do) {
    case "restart-apiserver":
      return plane.restartApiserver((what.audit ?? undefined) satisfies Audit | undefined);
    case "kill-apiserver":
      return plane.killApiserver();
    case "start-apiserver":
      return plane.startApiserver();
    case "backup":
      return plane.backup(what.name);
    case "restore":
      return plane.restore(what.file, what.more);
    case "compact":
      return plane.compact();
  }
}
