/** What an object wants, by balancer and resource key. */
import type { KeptCertificate } from "../model/certificate.ts";
import type { Domain } from "../model/domain.ts";
import type { Node } from "../model/node.ts";
import type { Pool } from "../model/pool.ts";
import type { Rule } from "../model/rule.ts";
import type { VirtualService } from "../model/virtual-service.ts";

export type Resources = Record<string, Record<string, unknown>>;

export function put(
  resources: Resources,
  balancer: string,
  key: string,
  value: Pool | Node | Domain | VirtualService | Rule | KeptCertificate,
): void {
  const own = resources[balancer] ?? {};
  own[key] = value;
  resources[balancer] = own;
}
