/** A worker whose store is an etcd behind its JSON gateway, for the tests. */
import { openEtcdGateway } from "../../shared/store/etcd-gateway.ts";
import type { Store } from "../../shared/store/port.ts";
import { serveStore } from "./served-store.ts";

interface Environment {
  readonly ENDPOINTS: readonly string[];
  readonly PREFIX: string;
}

let store: Store | undefined;

export default {
  fetch(request: Request, { ENDPOINTS, PREFIX }: Environment): Promise<Response> {
    store ??= openEtcdGateway({
      endpoints: ENDPOINTS,
      user: undefined,
      prefix: PREFIX,
      fetch: (url, init) => fetch(url, init),
    });
    return serveStore(request, store);
  },
};
