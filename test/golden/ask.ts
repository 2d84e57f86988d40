/** What real requests through a real node get. */
import type { Answer, TestNode } from "../harness/node.ts";

/** Enough for both workers to go through three members. */
const times = 5;

/** The different answers to one question: HOST/PATH. */
export async function ask(node: TestNode, url: string, headers: Readonly<Record<string, string>>): Promise<object[]> {
  const slash = url.indexOf("/");
  const answers = new Map<string, object>();
  for (let time = 0; time < times; time += 1) {
    const answer = shown(await node.get(url.slice(0, slash), url.slice(slash), { headers }));
    answers.set(JSON.stringify(answer), answer);
  }
  return [...answers].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, answer]) => answer);
}

/** A backend answers with its name and says what it was asked; what the node says itself is shown as it is. */
function shown({ status, headers, text }: Answer): object {
  const backend = headers["x-backend"];
  if (backend !== undefined) return { status, backend };
  const location = headers.location === undefined ? {} : { location: headers.location };
  const type = headers["content-type"] ?? "";
  return { status, type, ...location, ...(type.startsWith("text/plain") ? { text: text.trim() } : {}) };
}
