/** A store inside a worker, offered over HTTP to the tests outside (remote-store.ts). */
import { EntranceError } from "../../shared/model/error.ts";
import { answerCall, type StoreCall } from "../../shared/store/call.ts";
import type { Store } from "../../shared/store/port.ts";

export async function serveStore(request: Request, store: Store): Promise<Response> {
  try {
    return Response.json({ result: await answerCall(store, (await request.json()) as StoreCall) });
  } catch (error) {
    if (!(error instanceof EntranceError)) throw error;
    return Response.json({ code: error.code, message: error.message }, { status: 400 });
  }
}
