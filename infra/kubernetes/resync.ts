/**
 * What the CronJob runs: POST to the URL of /resync, with the token. Its exit code says whether Entrance has done the
 * timer's work, and whether it has a LIST before it: what becomes of that is told by /readyz and the log.
 */
import { operatorToken } from "./operator-token.ts";

const [url = ""] = process.argv.slice(2);
/** All that is marked by then is translated before the answer. */
const patienceMs = 200_000;

try {
  const response = await fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${operatorToken(process.env)}` },
    signal: AbortSignal.timeout(patienceMs),
  });
  console.log(response.status, await response.text());
  process.exitCode = response.ok ? 0 : 1;
} catch (error) {
  console.error(
    `no answer of ${url}: ${error instanceof Error ? `${error.message} ${String(error.cause ?? "")}` : error}`,
  );
  process.exitCode = 1;
}
