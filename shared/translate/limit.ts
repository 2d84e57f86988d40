/** What one object may ask for. Each is far above what people write and keeps one object from holding up the others. */
import { refusal } from "./problem.ts";
import type { Problem } from "./translation.ts";

/** Every host is a contest of its own, with a claim to be kept in the store. */
export const maxHosts = 256;
/** With as many rules an object's wants are about half a megabyte. */
export const maxRoutes = 1_000;
/** Each is a claim on a Secret, kept in the store. */
const maxSecrets = 256;
/** Every listener is a port of every node. */
const maxListeners = 64;

export function tooMany(
  routes: readonly { readonly host: string; readonly certificates?: readonly string[] }[],
  listeners: number,
): Problem[] {
  const asked = [
    { what: "hosts", count: new Set(routes.map(({ host }) => host)).size, max: maxHosts },
    { what: "routes", count: routes.length, max: maxRoutes },
    { what: "Secrets", count: new Set(routes.flatMap(({ certificates = [] }) => certificates)).size, max: maxSecrets },
    { what: "listeners", count: listeners, max: maxListeners },
  ];
  return asked.flatMap(({ what, count, max }) =>
    count > max ? [refusal(`it asks for ${count} ${what}, and one object may have ${max}: split it`)] : [],
  );
}
