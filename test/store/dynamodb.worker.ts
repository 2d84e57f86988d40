/** A worker whose stores are a table of DynamoDB, for the tests. */
import { SecretText } from "../../shared/model/secret-text.ts";
import { openDynamoDB } from "../../shared/store/dynamodb.ts";
import { clientsOf, serveStore } from "./served-store.ts";

const choose = clientsOf((port) =>
  openDynamoDB({
    table: "entrance",
    endpoint: `http://127.0.0.1:${port}`,
    region: "local",
    credentials: { id: "local", secret: new SecretText("local"), session: undefined },
  }),
);

export default { fetch: (request: Request) => serveStore(request, choose) };
