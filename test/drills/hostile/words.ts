/** Texts that would do something if anybody took them for more than data: configuration, commands, code, patterns. */

export type Roll = (sides: number) => number;

/** `canary` is a file that must never come to be; each text, run by anybody, would make it. */
export function hostileWords(canary: string): readonly string[] {
  return [
    `$(touch ${canary})`,
    `\`touch ${canary}\``,
    `; touch ${canary} #`,
    `| touch ${canary}`,
    `";} server { listen 1; root /; } #`,
    "}; }}}} events {",
    "'; return 200 'pwned'; #",
    `]]; os.execute("touch ${canary}") --[[`,
    `" .. os.execute("touch ${canary}") .. "`,
    `]==] loadstring("io.open('${canary}','w')")() [==[`,
    `%s%s%s%n%n`,
    "%1%0%f[%w]",
    "(((((((((((((((((((((a*)*)*)*)*)*)*",
    "^(a+)+$",
    "../../../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "name\r\nX-Injected: yes",
    "name\nR {}",
    "a\u0000b",
    "\u202egnp.exe",
    "\ud800",
    `${"$"}{http_host}$request_body$document_root`,
    "<script>alert(1)</script>",
    "constructor",
    "__proto__",
    "__index",
    "include /etc/passwd;",
    "load_module /tmp/x.so;",
    "0x7f.1",
    "-1e309",
    "*",
    ".",
    "a".repeat(300),
    "é".repeat(100),
    "",
  ];
}

export function oneOf<T>(roll: Roll, items: readonly T[]): T {
  const item = items[roll(items.length)];
  if (item === undefined) throw new Error("a choice needs something to choose from");
  return item;
}

/** A value with one of its texts, numbers, lists or members made hostile, somewhere inside. */
export function poisoned(roll: Roll, value: unknown, words: readonly string[]): unknown {
  if (Array.isArray(value) && value.length > 0 && roll(4) > 0) {
    const place = roll(value.length);
    return value.map((item, index) => (index === place ? poisoned(roll, item, words) : item));
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value) && roll(8) > 0) {
    const names = Object.keys(value);
    const name = names.length === 0 || roll(12) === 0 ? oneOf(roll, words) : oneOf(roll, names);
    const inner: unknown = Object.getOwnPropertyDescriptor(value, name)?.value;
    return Object.fromEntries([...Object.entries(value), [name, poisoned(roll, inner, words)]]);
  }
  return oneOf<unknown>(roll, [
    oneOf(roll, words),
    oneOf(roll, words),
    `${oneOf(roll, words)}${oneOf(roll, words)}`,
    -1,
    1e308,
    0.5,
    null,
    true,
    [],
    {},
    [[[[[[]]]]]],
    { [oneOf(roll, words)]: oneOf(roll, words) },
    Array.from({ length: 200 }, () => oneOf(roll, words)),
  ]);
}
