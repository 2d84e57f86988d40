/**
 * What a copy says of itself, for who has no way to it but `kubectl exec`:
 *
 *   kubectl -n entrance exec deployment/entrance -- node /opt/entrance/status.js [/metrics | /readyz]
 */
import { request } from "node:https";
import { operatorToken } from "./operator-token.ts";

const [path = "/status"] = process.argv.slice(2);
const patienceMs = 20_000;
const listen = process.env["ENTRANCE_LISTEN"] ?? "";
const place = /^\[?([^\]]*)\]?:([0-9]+)$/.exec(listen);
if (place === null || !/^\/[a-z0-9/?=&_.-]*$/i.test(path)) {
  console.error("type it in a pod of Entrance: node /opt/entrance/status.js [/metrics | /readyz]");
  process.exit(2);
}

const asked = request({
  host: place[1] === "" ? "127.0.0.1" : place[1],
  port: Number(place[2]),
  path,
  headers: { authorization: `Bearer ${operatorToken(process.env)}` },
  // Its own address, and no certificate is for that.
  rejectUnauthorized: false,
  timeout: patienceMs,
});
asked.on("response", (answer) => {
  process.exitCode = answer.statusCode === 200 ? 0 : 1;
  answer.pipe(process.stdout);
});
asked.on("timeout", () => asked.destroy(new Error("it takes too long")));
asked.on("error", (error) => {
  console.error(`no answer at ${listen}: ${error.message}`);
  process.exitCode = 1;
});
asked.end();
