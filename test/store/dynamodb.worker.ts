/** A worker whose store is a table of DynamoDB, for the tests. */
import { SecretText } from "../../shared/model/secret-text.ts";
import { openDynamoDB } from "../../shared/store/dynamodb.ts";
import type { Store } from "../../shared/store/port.ts";
import { serveStore } from "./served-store.ts";

interface Environment {
  readonly ENDPOINT: string;
}

let store: Store | undefined;

export default {
  fetch(request: Request, { ENDPOINT }: Environment): Promise<Response> {
    store ??= openDynamoDB({
      table: "entrance",
      endpoint: ENDPOINT,
      region: "local",
      credentials: { id: "local", secret: new SecretText("local"), session: undefined },
    });
    return serveStore(request, store);
  },
};
