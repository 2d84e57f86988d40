/** A store that a worker offers (served-store.ts), seen from outside. */
import { EntranceError, type ErrorCode } from "../../shared/model/error.ts";
import type { StoreCall } from "../../shared/store/call.ts";
import type { Store } from "../../shared/store/port.ts";

interface Answer {
  readonly result?: unknown;
  readonly code?: ErrorCode;
  readonly message?: string;
}

export function remoteStore(url: URL): Store {
  async function ask<T>(call: StoreCall): Promise<T> {
    const response = await fetch(url, { method: "POST", body: JSON.stringify(call) });
    const answer = (await response.json()) as Answer;
    if (answer.code !== undefined) throw new EntranceError(answer.code, answer.message ?? "");
    return answer.result as T;
  }
  return {
    get: (key) => ask({ call: "get", key }),
    list: async (partition, after, limit) => {
      const page = await ask<Awaited<ReturnType<Store["list"]>>>({ call: "list", partition, after, limit });
      return { entries: page.entries, next: page.next };
    },
    commit: (checks, writes) => ask({ call: "commit", checks: [...checks], writes: [...writes] }),
    async close() {},
  };
}
