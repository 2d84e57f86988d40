/** Stores that a worker offers (served-store.ts), seen from outside. */
import { randomUUID } from "node:crypto";
import { EntranceError, type ErrorCode } from "../../shared/model/error.ts";
import type { StoreCall } from "../../shared/store/call.ts";
import type { Store } from "../../shared/store/port.ts";
import type { ClockCall } from "./served-store.ts";

interface Answer {
  readonly result?: unknown;
  readonly code?: ErrorCode;
  readonly message?: string;
}

async function ask<T>(url: URL, call: StoreCall | ClockCall): Promise<T> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(call) });
  const answer = (await response.json()) as Answer;
  if (answer.code !== undefined) throw new EntranceError(answer.code, answer.message ?? "");
  return answer.result as T;
}

/** Another client in the worker each time; `port`: where that finds its server. */
export function remoteStore(worker: URL, port?: number): Store {
  const url = new URL(worker);
  url.searchParams.set("client", randomUUID());
  if (port !== undefined) url.searchParams.set("port", String(port));
  return {
    get: (key) => ask(url, { call: "get", key }),
    list: async (partition, after, limit) => {
      const page = await ask<Awaited<ReturnType<Store["list"]>>>(url, { call: "list", partition, after, limit });
      return { entries: page.entries, next: page.next };
    },
    commit: (checks, writes) => ask(url, { call: "commit", checks: [...checks], writes: [...writes] }),
    async close() {},
  };
}

/** Returns what time it is there then. */
export function setRemoteClockOff(worker: URL, offMs: number): Promise<number> {
  return ask(worker, { call: "clock", offMs });
}
