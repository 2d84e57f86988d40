/** What real requests through a real node get. */
import type { Echo } from "../harness/backend.ts";
import { requestTls } from "../harness/https.ts";
import type { Answer, RequestOptions, TestNode } from "../harness/node.ts";
import type { Request } from "./story.ts";

/** Enough for both workers to go through three members. */
const times = 5;

const byHttps = "https://";

/** The different answers to one question: HOST/PATH, or https://HOST/PATH. */
export async function ask(node: TestNode, { url: address, method = "GET", headers }: Request): Promise<object[]> {
  const isHttps = address.startsWith(byHttps);
  const url = isHttps ? address.slice(byHttps.length) : address;
  const [host, path] = [url.slice(0, url.indexOf("/")), url.slice(url.indexOf("/"))];
  const answers = new Map<string, object>();
  for (let time = 0; time < times; time += 1) {
    const answer = isHttps
      ? await askByTls(node.ports.https, host, path, { method, headers })
      : shown(await node.get(host, path, { method, headers }), url);
    answers.set(JSON.stringify(answer), answer);
  }
  return [...answers].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, answer]) => answer);
}

/** Whose certificate was presented, beside the answer; or that none was. */
async function askByTls(port: number, host: string, path: string, options: RequestOptions): Promise<object> {
  try {
    const { certificate, ...answer } = await requestTls(port, host, path, options);
    return { certificate: certificate.subject, ...shown(answer, `${host}${path}`) };
  } catch (error) {
    if (!/alert/.test((error as Error).message)) throw error;
    return { certificate: null };
  }
}

/** What the node adds to an answer, where a story asks for that. */
const told = /^(access-control-.*|x-frame-options|strict-transport-security|www-authenticate|content-encoding)$/;
/** What it changes of a request. */
const heard = ["x-tenant", "x-debug"];

/**
 * A backend answers with its name and says what it was asked, which is shown where it differs; what the node says
 * itself is shown as it is.
 */
function shown({ status, headers, text }: Answer, url: string): object {
  const backend = headers["x-backend"];
  const said = Object.fromEntries(Object.entries(headers).filter(([name]) => told.test(name)));
  if (backend !== undefined) {
    const echo = JSON.parse(text) as Echo;
    const [host = ""] = url.split("/", 1);
    const kept = heard.flatMap((name) => (echo.headers[name] === undefined ? [] : [[name, echo.headers[name]]]));
    return {
      status,
      backend,
      ...(echo.url === url.slice(host.length) ? {} : { path: echo.url }),
      ...(echo.headers["host"] === host ? {} : { host: echo.headers["host"] }),
      ...Object.fromEntries(kept),
      ...said,
    };
  }
  const location = headers.location === undefined ? {} : { location: headers.location };
  const type = headers["content-type"];
  const line = type?.startsWith("text/plain") && text !== "" ? { text: text.trim() } : {};
  return { status, ...(type === undefined ? {} : { type }), ...location, ...said, ...line };
}
