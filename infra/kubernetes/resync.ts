/** What the CronJob runs: POST to the URL of /resync, with the token; its exit code says whether that was done. */
import { operatorToken } from "./operator-token.ts";

const [url = ""] = process.argv.slice(2);
/** A LIST of a large cluster is read and compared before the answer. */
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
