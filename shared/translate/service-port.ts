/** Ports of a Service: found by number or name, and what stands behind one. */
import type { SeenService, SeenServicePort } from "../model/seen/service.ts";

/** Members of an ExternalName Service are names and not addresses: none of its ports can serve. */
export function isExternal(service: SeenService): boolean {
  return service.type === "ExternalName";
}

/** Of one number TCP and UDP may both exist; `protocol` says which is meant. */
export function findPort(
  service: SeenService,
  protocol: "TCP" | "UDP",
  port: number | string,
): SeenServicePort | undefined {
  return service.ports.find(
    (each) => each.protocol === protocol && (typeof port === "number" ? each.port === port : each.name === port),
  );
}

/**
 * The ports that the pool of this number stands for: the first by TCP (or else at all) of that number, and those that
 * lead to the same target by another protocol. A name server's 53 is one pool for TCP and UDP.
 */
export function portsOfPool(service: SeenService, number: number): readonly SeenServicePort[] {
  const sameNumber = service.ports.filter((each) => each.port === number);
  const first = sameNumber.find((each) => each.protocol === "TCP") ?? sameNumber[0];
  return sameNumber.filter((each) => first !== undefined && targetOf(each) === targetOf(first));
}

/** Rainbond's container port; where the target is a name, the Service's own port stands for it. */
export function containerPort(port: SeenServicePort): number {
  const target = targetOf(port);
  return typeof target === "number" ? target : port.port;
}

function targetOf(port: SeenServicePort): number | string {
  return port.targetPort ?? port.port;
}
