/** What each path takes by POST, as short as it may be: for tests of who may call. */
import { eventList, review, service } from "../observe/wire.ts";

export const doorBodies: Readonly<Record<string, unknown>> = {
  "/admission": review("CREATE", "Service", { object: service() }),
  "/audit": eventList(),
  "/resync": {},
  "/store": { operation: "get", key: { partition: "lock", sort: "" } },
};
