/** Names and values of headers that a rule may name; the same as infra/openresty/lua/model/header.lua. */
import * as v from "valibot";

/** What frames a message or belongs to one connection. */
const framing: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** What the node says itself. */
const saidByNode: ReadonlySet<string> = new Set([
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-real-ip",
]);

/** RFC 9110, 5.6.2. */
export const headerName = v.pipe(
  v.string(),
  v.maxLength(256, "must be a header's name of at most 256 characters"),
  v.regex(/^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/, "must be a header's name: letters, digits and hyphens"),
);

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be in it
const controls = /[\x00-\x1f\x7f]/;

const headerValue = v.pipe(
  v.string(),
  v.maxLength(4_096, "must have at most 4096 characters"),
  v.check((text) => !controls.test(text), "must have no line breaks and no control characters"),
  v.check((text) => text === text.trim(), "must not begin or end with a space"),
);

function changed(ofRequest: boolean) {
  return v.pipe(
    headerName,
    v.check((name) => !framing.has(name.toLowerCase()), "can't be changed: it belongs to the connection"),
    v.check((name) => !ofRequest || name.toLowerCase() !== "host", "can't be changed here: a rewrite changes the Host"),
    v.check((name) => !ofRequest || !saidByNode.has(name.toLowerCase()), "can't be changed: the node says it itself"),
  );
}

/** Gateway API's HTTPHeaderFilter: at most 16 of each. */
export function headerChanges(ofRequest: boolean) {
  const pairs = v.optional(
    v.pipe(
      v.array(v.object({ name: changed(ofRequest), value: headerValue })),
      v.maxLength(16, "must be a list of at most 16"),
    ),
  );
  return v.pipe(
    v.object({
      set: pairs,
      add: pairs,
      remove: v.optional(v.pipe(v.array(changed(ofRequest)), v.maxLength(16, "must be a list of at most 16"))),
    }),
    v.check(
      ({ set, add, remove }) => [set, add, remove].some((list) => list !== undefined && list.length > 0),
      "set, add or remove must name a header",
    ),
  );
}
