/** What works, and might not be what was meant. */
import { advice, remark } from "../problem.ts";
import { isOfRequests, type Use } from "../service-pools.ts";
import type { Problem } from "../translation.ts";
import type { PoolWishes } from "./wish.ts";

export function doubtful(uses: readonly Use[], wishes: PoolWishes, prefix: string): Problem[] {
  return [...Map.groupBy(uses, ({ port }) => port.port)].flatMap(([number, ofPort]) => {
    const wish = wishes.get(number);
    if (wish === undefined || !isOfRequests(ofPort)) return [];
    const problems: Problem[] = [];
    if (wish.spoken.isUnverified) {
      problems.push(
        advice(
          `whoever answers at port ${number} is believed to be its backend: annotation ${prefix}/backend-tls-name ` +
            `says whose certificate it must have, and ${prefix}/backend-tls-verify: "false" that this is meant so`,
        ),
      );
    }
    if (wish.proxyProtocol !== undefined && ofPort.some(({ by }) => by === "tcp")) {
      problems.push(
        remark(
          `port ${number} serves requests, too, which carry no PROXY protocol, so its connections don't either: ` +
            "give those a port of their own",
        ),
      );
    }
    return problems;
  });
}
