/** Stores inside a worker, offered over HTTP to the tests outside (remote-store.ts). */
import { EntranceError } from "../../shared/model/error.ts";
import { answerCall, type StoreCall } from "../../shared/store/call.ts";
import type { Store } from "../../shared/store/port.ts";
import { setClockOff } from "../harness/clock.ts";

/** Beside the store's operations: from now on the worker's clock is so much off. */
export interface ClockCall {
  readonly call: "clock";
  readonly offMs: number;
}

/** Which store a request is for. */
type Choose = (asked: URLSearchParams) => Store;

/** One client for each name that the tests outside have given, at the port where it finds its server. */
export function clientsOf(open: (port: number) => Store): Choose {
  const clients = new Map<string, Store>();
  return (asked) => {
    const name = asked.get("client") ?? "";
    const client = clients.get(name) ?? open(Number(asked.get("port")));
    clients.set(name, client);
    return client;
  };
}

export async function serveStore(request: Request, choose: Choose): Promise<Response> {
  const called = (await request.json()) as StoreCall | ClockCall;
  if (called.call === "clock") {
    setClockOff(called.offMs);
    return Response.json({ result: Date.now() });
  }
  try {
    const store = choose(new URL(request.url).searchParams);
    return Response.json({ result: await answerCall(store, called) });
  } catch (error) {
    if (!(error instanceof EntranceError)) throw error;
    return Response.json({ code: error.code, message: error.message }, { status: 400 });
  }
}
