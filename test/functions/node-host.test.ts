/** The doors of the Node host: a process of its own, with a real node. */
import { startProcessHost } from "../harness/process-host.ts";
import { runDoorCases } from "./cases.ts";

runDoorCases({ name: "the Node host", start: (environment) => startProcessHost("node", environment) });
