/** A server that answers as a test has it: what a real API does only on its worst days. (Its good ones: test/cluster.) */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Access } from "../../shared/kubernetes/access.ts";
import { SecretText } from "../../shared/model/secret-text.ts";

export type Answering = (request: IncomingMessage, response: ServerResponse) => void;

export interface BadApi {
  readonly access: Access;
  /** Method and path of each request, in order. */
  readonly asked: string[];
  readonly headers: Readonly<Record<string, unknown>>[];
  /** Pauses that were asked for; none is waited. */
  readonly pauses: number[];
  readonly close: () => Promise<void>;
}

/** One answer after another; the last one stays. */
export async function startBadApi(...answers: readonly Answering[]): Promise<BadApi> {
  const asked: string[] = [];
  const headers: Readonly<Record<string, unknown>>[] = [];
  const pauses: number[] = [];
  const server = createServer((request, response) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)];
    asked.push(`${request.method} ${request.url}`);
    headers.push(request.headers);
    request.resume();
    answer?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  let tokens = 0;
  return {
    asked,
    headers,
    pauses,
    access: {
      url: `http://127.0.0.1:${port}`,
      fetch: (url, init) => fetch(url, init),
      token: async (isRefused) => {
        if (isRefused) tokens += 1;
        return new SecretText(`token-${tokens}`);
      },
      wait: async (ms) => {
        pauses.push(ms);
      },
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

export function status(code: number, reason = "", more: Readonly<Record<string, string>> = {}): Answering {
  return (_, response) => {
    response.writeHead(code, { "content-type": "application/json", ...more });
    response.end(
      JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", reason, message: `${reason} it is`, code }),
    );
  };
}

export function json(value: unknown): Answering {
  return (_, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(value));
  };
}
