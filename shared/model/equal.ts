/** Whether two values of JSON are the same content. Pure. */

/** As their canonical JSON tells, without making it: members in any order, and one that is undefined is none. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (!isContainer(a) || !isContainer(b)) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((each: unknown, index) => isEqual(each, b[index]));
  }
  // Own members alone: a name may be `constructor`, which every object has from its prototype.
  for (const name of Object.keys(a)) {
    if (!isEqual(a[name], Object.hasOwn(b, name) ? b[name] : undefined)) return false;
  }
  return Object.keys(b).every((name) => b[name] === undefined || Object.hasOwn(a, name));
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
