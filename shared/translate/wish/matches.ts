/** Which requests an object's rules are for, beside their host and path. */
import { type Matches, matchesSchema } from "../../model/rule.ts";
import { type Annotations, lines } from "./annotations.ts";

/**
 * | annotation      | value                                                                   |
 * |-----------------|-------------------------------------------------------------------------|
 * | `match-method`  | `POST`                                                                  |
 * | `match-headers` | `NAME: VALUE`, or `NAME: ~EXPRESSION` for the whole value; one a line   |
 * | `match-query`   | `NAME=VALUE`, or `NAME=~EXPRESSION`; one a line                         |
 */
export function matchesOf(annotations: Annotations): Omit<Matches, "path"> {
  const { method, headers, query } = matchesSchema.entries;
  const by = {
    method: annotations.readAs("match-method", "a method such as POST", method, (text) => text),
    headers: annotations.readAs(
      "match-headers",
      "NAME: VALUE or NAME: ~EXPRESSION, one on each line",
      headers,
      (text) => lines(text).map((line) => pairIn(line, ":")),
    ),
    query: annotations.readAs("match-query", "NAME=VALUE or NAME=~EXPRESSION, one on each line", query, (text) =>
      lines(text).map((line) => pairIn(line, "=")),
    ),
  };
  return {
    ...(by.method && { method: by.method }),
    ...(by.headers && { headers: by.headers }),
    ...(by.query && { query: by.query }),
  };
}

/** Without the sign the name stays empty, which no schema takes. */
function pairIn(line: string, sign: string): { type: string; name: string; value: string } {
  const place = Math.max(line.indexOf(sign), 0);
  const name = line.slice(0, place).trim();
  const value = line.slice(place + 1).trim();
  return value.startsWith("~") ? { type: "regex", name, value: value.slice(1) } : { type: "exact", name, value };
}
