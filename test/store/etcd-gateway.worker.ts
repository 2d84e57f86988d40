/** A worker whose stores are an etcd behind its JSON gateway, for the tests. */
import { openEtcdGateway } from "../../shared/store/etcd-gateway.ts";
import { clientsOf, serveStore } from "./served-store.ts";

interface Environment {
  readonly PREFIX: string;
}

let choose: ReturnType<typeof clientsOf> | undefined;

export default {
  fetch(request: Request, { PREFIX }: Environment): Promise<Response> {
    choose ??= clientsOf((port) =>
      openEtcdGateway({
        endpoints: [`http://127.0.0.1:${port}`],
        user: undefined,
        prefix: PREFIX,
        fetch: (url, init) => fetch(url, init),
      }),
    );
    return serveStore(request, choose);
  },
};
