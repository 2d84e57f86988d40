/** A sample application: a page to look at. */
import { createServer } from "node:http";

const server = createServer((request, response) => {
  response.setHeader("content-type", "text/html; charset=utf-8");
  response.end(`<!doctype html><title>blog</title><h1>blog 1.0</h1><p>You asked for ${escaped(request.url ?? "")}\n`);
});

server.listen(Number(process.env["PORT"]), "127.0.0.1");

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
