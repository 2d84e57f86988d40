/** A visitor of an application, through the node that runs as a pod. */
import { get } from "node:http";
import { nodeAddress } from "./address.ts";

/** The status of the answer. */
export function visit(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = get({ host: nodeAddress, path: "/", headers: { host }, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    asked.on("error", reject);
  });
}
