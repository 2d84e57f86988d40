/** node/rich.conf: the locations of rules with filters, timeouts or retries. */

const RETRIED = [500, 502, 503, 504];
const CUT_OFF = "body_filter_by_lua_block { entrance.filter_body() }";

/** Each set of the answers that nginx can try again, as a bit for each. */
export const retriedSets: readonly (readonly number[])[] = Array.from({ length: 2 ** RETRIED.length }, (_, set) =>
  RETRIED.filter((_status, place) => (set >> place) % 2 === 1),
);

/**
 * The locations of rules with filters, by what nginx takes from no variable: the answers that are tried again (each set
 * of four, `@rich_0` to `@rich_15`), gzip, and whether an answer may be cut off. route/rich.lua names them in the same
 * way.
 */
export function richLocations(): string {
  const variants = [
    { suffix: "", lines: [] },
    { suffix: "_gzip", lines: ["gzip on"] },
    { suffix: "_timed", lines: [CUT_OFF] },
    { suffix: "_gzip_timed", lines: ["gzip on", CUT_OFF] },
  ];
  const locations = retriedSets.flatMap((statuses, set) =>
    variants.map(({ suffix, lines }) => {
      const name = `@rich_${set}${suffix}`;
      const again = ["error", "timeout", ...statuses.map((status) => `http_${status}`)].join(" ");
      // Waiting before another try, and saying why there is none, is the same location's work.
      const all = [...lines, `proxy_next_upstream ${again}`, `error_page 500 = ${name}`, "include rich.conf"];
      return `location ${name} {\n${all.map((line) => `  ${line}${line.endsWith("}") ? "" : ";"}\n`).join("")}}\n`;
    }),
  );
  return locations.join("");
}
