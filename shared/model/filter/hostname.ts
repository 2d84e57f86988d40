/** A host's name that a filter puts in place of another: no wildcard. */
import * as v from "valibot";
import { parseHost } from "../host.ts";

export const hostname = v.pipe(
  v.string(),
  v.check((text) => {
    const host = parseHost(text);
    return host.ok && host.value === text && !text.startsWith("*");
  }, "must be a host name in lower case"),
);
