/** What a Service asks of the pools of its ports by annotations, before anyone knows who uses them. */
import type { Affinity } from "../../model/balance.ts";
import type { Health } from "../../model/health.ts";
import { type Pool, poolSchema } from "../../model/pool.ts";
import type { SeenService } from "../../model/seen/service.ts";
import { refusal } from "../problem.ts";
import { portsOfPool } from "../service-port.ts";
import type { Problem } from "../translation.ts";
import { Annotations } from "../wish/annotations.ts";
import { affinityOf, type Balance, balanceOf } from "./balance.ts";
import { healthOf } from "./health.ts";
import { portValues } from "./port-values.ts";
import { type Spoken, spokenOf } from "./spoken.ts";

export interface PoolWish {
  readonly spoken: Spoken;
  readonly balance: Balance;
  readonly affinity?: Affinity;
  readonly slowStart?: string;
  readonly health?: Health;
  readonly proxyProtocol?: Pool["proxyProtocol"];
  /** Whoever answers could be anybody, and must not be: the port has no pool for requests. */
  readonly isClosed?: boolean;
}

/** All of them, since no other object may have one. */
const poolAnnotations = [
  "affinity",
  "affinity-cookie",
  "affinity-max-age",
  "backend-protocol",
  "backend-tls-ca",
  "backend-tls-name",
  "backend-tls-verify",
  "balance",
  "failure-time",
  "health-healthy",
  "health-host",
  "health-interval",
  "health-path",
  "health-statuses",
  "health-timeout",
  "health-type",
  "health-unhealthy",
  "max-failures",
  "proxy-protocol",
  "slow-start",
] as const;

/** By the port's number. */
export type PoolWishes = ReadonlyMap<number, PoolWish>;

export function poolWishesOf(service: SeenService, prefix: string, problems: Problem[]): PoolWishes {
  const values = poolAnnotations.flatMap((name) =>
    name in service.annotations ? [[name, portValues(service, name, prefix, problems)] as const] : [],
  );
  const wishes = new Map<number, PoolWish>();
  for (const port of new Set(service.ports.map((each) => each.port))) {
    const appProtocol = portsOfPool(service, port)[0]?.appProtocol;
    const ofPort = values.flatMap(([name, byPort]) => {
      const value = byPort.get(port);
      return value === undefined ? [] : [[name, value] as const];
    });
    wishes.set(port, poolWishOf(service, appProtocol, new Annotations(Object.fromEntries(ofPort), prefix, problems)));
  }
  problems.push(...needlessTls(service, wishes, prefix));
  return wishes;
}

function poolWishOf(service: SeenService, appProtocol: string | undefined, annotations: Annotations): PoolWish {
  const { slowStart, proxyProtocol } = poolSchema.entries;
  const slow = annotations.readAs("slow-start", "a duration such as 30s", slowStart, (text) => text);
  const proxy = annotations.readAs("proxy-protocol", "v1 or v2", proxyProtocol, (text) => text.toLowerCase());
  const [affinity, health] = [affinityOf(annotations), healthOf(annotations)];
  return {
    spoken: spokenOf(annotations, service, appProtocol),
    balance: balanceOf(annotations, service),
    ...(affinity && { affinity }),
    ...(slow && { slowStart: slow }),
    ...(health && { health }),
    ...(proxy && { proxyProtocol: proxy }),
  };
}

/** One value for all ports may be meant for a single one of them; for none it is a mistake. */
function needlessTls(service: SeenService, wishes: PoolWishes, prefix: string): Problem[] {
  if (service.ports.length === 0 || [...wishes.values()].some(({ spoken }) => spoken.tls !== undefined)) return [];
  return (["backend-tls-ca", "backend-tls-name", "backend-tls-verify"] as const).flatMap((name) =>
    service.annotations[name]?.trim()
      ? [
          refusal(
            `annotation ${prefix}/${name} means nothing without ${prefix}/backend-protocol: https or grpcs; ` +
              "add that, or leave this out",
          ),
        ]
      : [],
  );
}

/** A pool belongs to a Service's port and serves every Ingress that names it: none of them can have a say. */
export function misplacedOnIngress(annotations: Readonly<Record<string, string>>, prefix: string): Problem[] {
  return [...poolAnnotations, "tls-passthrough"]
    .filter((name) => Object.hasOwn(annotations, name))
    .map((name) =>
      refusal(`annotation ${prefix}/${name} has no meaning on an Ingress: write it on the Service that it is about`),
    );
}
