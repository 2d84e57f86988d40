/** The pools of a Service's mirror and canary, which may be ports of its own. */
import { poolKey } from "../model/resource-key.ts";
import type { SeenService } from "../model/seen/service.ts";
import { Answers } from "./answers.ts";
import { poolOfBackend, serviceReads } from "./backend.ts";
import { quote, remark } from "./problem.ts";
import type { SharePools } from "./route.ts";
import type { Use } from "./service-pools.ts";
import { findPort } from "./service-port.ts";
import type { Answer, Problem, Read } from "./translation.ts";
import { mapShares, type ShareBackend, sharesOf } from "./wish/share.ts";
import type { Wish } from "./wish/wish.ts";

export function* sharesOfService(
  service: SeenService,
  balancer: string,
  wish: Pick<Wish, "mirror" | "canary">,
  problems: Problem[],
): Generator<readonly Read[], { readonly pools: SharePools; readonly uses: readonly Use[] }, readonly Answer[]> {
  const { namespace, name } = service;
  const isOwn = (backend: ShareBackend) => backend.service === name;
  const others = sharesOf(wish).filter((backend) => !isOwn(backend));
  const claimed = serviceReads(namespace, balancer, others);
  const known = new Answers(claimed.length === 0 ? [] : yield claimed);
  const uses: Use[] = [];
  const pools = mapShares(wish, (backend) => {
    if (!isOwn(backend)) return poolOfBackend(namespace, backend, known, problems);
    const port = findPort(service, "TCP", backend.port);
    if (port !== undefined) {
      uses.push({ balancer, port, by: "http" });
      return poolKey(namespace, name, port.port);
    }
    problems.push(remark(`Service ${namespace}/${name} has no TCP port ${quote(String(backend.port))}`));
    return undefined;
  });
  return { pools, uses };
}
