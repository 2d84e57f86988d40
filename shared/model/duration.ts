/** How long something takes, as Gateway API writes it (GEP-2257): `10s`, `500ms`, `1h30m`. */
import * as v from "valibot";

const unitSeconds: Readonly<Record<string, number>> = { h: 3_600, m: 60, s: 1, ms: 0.001 };

/** Undefined when the text is no duration. */
export function parseDuration(text: string): number | undefined {
  if (!/^([0-9]{1,5}(h|m|s|ms)){1,4}$/.test(text)) return undefined;
  let seconds = 0;
  for (const [, digits, unit = ""] of text.matchAll(/([0-9]+)(ms|[hms])/g)) {
    seconds += Number(digits) * (unitSeconds[unit] ?? 0);
  }
  return seconds;
}

export function duration(mostSeconds: number, leastSeconds = 0) {
  const range = leastSeconds === 0 ? `at most ${mostSeconds}s` : `from ${leastSeconds * 1_000}ms to ${mostSeconds}s`;
  return v.pipe(
    v.string(`must be a duration such as 10s, 500ms or 1m30s, ${range}`),
    v.check((text) => {
      const seconds = parseDuration(text);
      return seconds !== undefined && seconds >= leastSeconds && seconds <= mostSeconds;
    }, `must be a duration such as 10s, 500ms or 1m30s, ${range}`),
  );
}
