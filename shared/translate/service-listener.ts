/** The listeners of a Service: claims on their ports, and which of them it gets. */
import { portReference, referenceKey } from "../model/reference.ts";
import { poolKey } from "../model/resource-key.ts";
import type { SeenService, SeenServicePort } from "../model/seen/service.ts";
import type { Answers } from "./answers.ts";
import type { Listener } from "./asked.ts";
import { refusal } from "./problem.ts";
import type { Problem, Read } from "./translation.ts";

export type ServableListener = Listener & { readonly target: SeenServicePort };

export function servable(listeners: readonly Listener[]): ServableListener[] {
  return listeners.filter((listener): listener is ServableListener => listener.target !== undefined);
}

export function listenerReads(service: SeenService, balancer: string, listeners: readonly ServableListener[]): Read[] {
  return listeners.map(({ protocol, port, target }) => ({
    reference: portReference(balancer, protocol, port),
    claim: { type: "port", created: service.created, pool: poolKey(service.namespace, service.name, target.port) },
  }));
}

export function grantedListeners(
  service: SeenService,
  balancer: string,
  listeners: readonly ServableListener[],
  answers: Answers,
): { readonly listeners: readonly ServableListener[]; readonly problems: readonly Problem[] } {
  const isTaken = ({ protocol, port }: ServableListener) => {
    const holding = answers.of(portReference(balancer, protocol, port))?.holding;
    return holding?.type === "port" && holding.by !== referenceKey(service);
  };
  return {
    listeners: listeners.filter((listener) => !isTaken(listener)),
    problems: listeners
      .filter(isTaken)
      .map(({ protocol, port }) =>
        refusal(`${protocol} port ${port} of balancer ${balancer} is taken: choose a free one`),
      ),
  };
}
