/** Wire bodies with something wrong in them: a real one, in which some members are replaced, removed or doubled. */
import fc from "fast-check";

const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, "", 0, -1, 99_999, true, [], {}, "a b", "../x", 'a"b', "\n", "__proto__", "1e9", [
    null,
  ]),
  fc.constantFrom<unknown>("*", "*.a.example", "a.example", "/", "//", "%2f", "x".repeat(300), { constructor: 1 }),
  fc.jsonValue({ maxDepth: 2 }),
);

/** A member of the body, chosen by numbers, and what happens to it. */
const change = fc.record({
  steps: fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 9 }),
  remove: fc.boolean(),
  value: odd,
});

export function mutated(bodies: readonly unknown[]): fc.Arbitrary<unknown> {
  return fc
    .tuple(fc.constantFrom(...bodies), fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([body, changes]) =>
      changes.reduce((last, { steps, remove, value }) => replace(last, steps, remove, value), body),
    );
}

function replace(node: unknown, steps: readonly number[], remove: boolean, value: unknown): unknown {
  const [step, ...rest] = steps;
  if (step === undefined || typeof node !== "object" || node === null) return remove ? node : value;
  const keys = Object.keys(node);
  const key = keys[step % Math.max(keys.length, 1)];
  if (key === undefined) return remove ? node : value;
  if (Array.isArray(node)) {
    const index = Number(key);
    if (rest.length === 0 && remove) return node.toSpliced(index, 1);
    return node.with(index, replace(node[index], rest, remove, value));
  }
  const members = new Map(Object.entries(node));
  if (rest.length === 0 && remove) members.delete(key);
  else members.set(key, replace(members.get(key), rest, remove, value));
  return Object.fromEntries(members);
}
