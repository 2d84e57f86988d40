/** What is said of a file that a setting names: whoever has put a secret in its place must find that in no log. */

/** What begins with `/` may be base64: that has none of `.`, `_` and `-`, and is hardly ever without capitals. */
const isPath = /^(?=.*[._-]|[^A-Z]*$)\.{0,2}\/[\w./-]{1,252}$/;

/** A value that does not plainly look like a path is not shown. (Entrance's own: functions/named-file.ts.) */
export function namesFile(value: string, fault: string): string {
  return isPath.test(value) ? `names ${value}, which ${fault}` : `names a file that ${fault}${adviceOn(value)}`;
}

export function adviceOn(value: string): string {
  return value.includes("-----BEGIN ") ? ": it takes the path of a file, not the text" : "";
}
