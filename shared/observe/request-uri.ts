/** The query of an audit event's requestURI. (The pure rooms have no URL class.) */

/** The values of one parameter, in order; parts that cannot be decoded are taken as they stand. */
export function queryValues(requestUri: string, name: string): string[] {
  const start = requestUri.indexOf("?");
  if (start === -1) return [];
  const [query = ""] = requestUri.slice(start + 1).split("#");
  return query.split("&").flatMap((pair) => {
    const equals = pair.indexOf("=");
    const key = equals === -1 ? pair : pair.slice(0, equals);
    return decode(key) === name ? [equals === -1 ? "" : decode(pair.slice(equals + 1))] : [];
  });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}
