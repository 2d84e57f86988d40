/** JSON for people who read diffs: what fits into a line stands on one. */
const width = 120;

export function compactJson(value: unknown, indent = "", used = 0): string {
  const line = JSON.stringify(value, null, 1)?.replace(/\n\s*/g, " ") ?? "null";
  const isLeaf = value === null || typeof value !== "object" || Object.keys(value).length === 0;
  if (isLeaf || indent.length + used + line.length <= width) return line;
  const inner = `${indent}  `;
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const parts = Array.isArray(value)
    ? value.map((each) => inner + compactJson(each, inner))
    : Object.entries(value).map(([name, each]) => {
        const key = `${JSON.stringify(name)}: `;
        return inner + key + compactJson(each, inner, key.length);
      });
  return `${open}\n${parts.join(",\n")}\n${indent}${close}`;
}
