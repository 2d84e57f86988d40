/** Calls a host's doors as an apiserver does, and looks at what came of it. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { Status } from "../../functions/status.ts";
import { event, eventList, type Json, review, service } from "../observe/wire.ts";

export const webhooks = ["/admission", "/audit"] as const;

export interface RunningHost {
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>;
  /** All bytes of the store. */
  readonly stored: () => Promise<string>;
  /** All that was printed. */
  readonly printed: () => string;
  readonly stop: () => Promise<void>;
  /** It is not on loopback: views need a token, too. */
  readonly isOpen?: true;
}

export class Caller {
  readonly #host: RunningHost;
  #version = 1_000;

  constructor(host: RunningHost) {
    this.#host = host;
  }

  get isOpen(): boolean {
    return this.#host.isOpen ?? false;
  }

  fetch(path: string, init?: RequestInit): Promise<Response> {
    return this.#host.fetch(path, init);
  }

  post(path: string, body: unknown): Promise<Response> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return this.fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: text });
  }

  stored(): Promise<string> {
    return this.#host.stored();
  }

  printed(): string {
    return this.#host.printed();
  }

  /** Once nothing is left to do: the store's bytes, what was printed, and what the views show. */
  async everythingSaid(): Promise<string[]> {
    await this.settled();
    const pages = await Promise.all(["/status", "/metrics", "/"].map((path) => this.fetch(path)));
    return [await this.stored(), this.printed(), ...(await Promise.all(pages.map((page) => page.text())))];
  }

  async status(): Promise<Status> {
    return (await (await this.fetch("/status")).json()) as Status;
  }

  /** When nothing is left to do and the node has everything. */
  async settled(): Promise<Status> {
    for (let attempt = 0; ; attempt += 1) {
      const now = await this.status();
      const isDone = now.marks.due === 0 && now.balancers.every(({ nodes }) => nodes.every(({ lag }) => lag === 0));
      if (isDone) return now;
      if (attempt > 100) throw new Error(`not settled: ${JSON.stringify(now)}`);
      await sleep(50);
    }
  }

  /** A Service that asks for this, as the apiserver tells it. */
  asking(name: string, annotations: Json, spec: Json = {}): { wire: Json; reviewed: Json; audited: Json } {
    this.#version += 1;
    const wire = service({ name, uid: `uid-${name}`, resourceVersion: String(this.#version), annotations }, spec);
    return {
      wire,
      reviewed: review("CREATE", "Service", { name, object: wire }),
      audited: eventList(event("create", "Service", wire, { auditID: `audit-${name}` }, { name })),
    };
  }

  /** What a change that is good leads to; called after bad ones to see that nothing is held up. */
  async expectToWork(name: string): Promise<void> {
    const { audited } = this.asking(name, { "entrance.dev/http": `${name}.example` });
    expect(await (await this.post("/audit", audited)).json()).toMatchObject({ changed: 1, unusable: 0 });
    const { domains } = await this.settled();
    expect(domains.map((domain) => domain.name)).toContain(`${name}.example`);
  }
}

interface Verdict {
  readonly allowed: boolean;
  readonly status: { readonly code: number; readonly message: string };
}

export async function refusal(response: Response): Promise<Verdict> {
  expect(response.status).toBe(200);
  return ((await response.json()) as { response: Verdict }).response;
}
