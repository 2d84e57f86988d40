-- The page for who accepts HTML, one line of text for others. The status is set by the caller and stays.
local body = require "route.body"
local grpc_answer = require "phase.grpc_answer"

local page = {}

local SENTENCES = {
  [400] = "The request names two hosts: one in its first line, another as its Host.",
  [401] = "This address asks for a name and a password.",
  [403] = "This address is not open to you.",
  [404] = "No application answers to this address.",
  [411] = "This address takes bodies only when their length is told (Content-Length).",
  [413] = "The body is larger than this address takes.",
  [429] = "Too many requests. Please try again in a moment.",
  [500] = "Something went wrong on the way to the application.",
  [502] = "The application did not answer as it should. Please try again in a moment.",
  [503] = "The application is not ready yet. Please try again in a moment.",
  [504] = "The application took too long to answer. Please try again in a moment.",
}

local HTML = [[<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
%s<title>%d</title>
<style>
body { font: 1.1rem/1.6 system-ui, sans-serif; color: #334; background: #f6f7f9; margin: 0 }
body { display: grid; place-items: center; min-height: 100vh }
main { padding: 2rem; text-align: center }
h1 { font-size: 3rem; font-weight: 300; margin: 0 }
</style>
</head>
<body><main><h1>%d</h1><p>%s</p></main></body>
</html>
]]
local RELOAD = '<meta http-equiv="refresh" content="5">\n'

local ready = {}
for status, sentence in pairs(SENTENCES) do
  ready[status] = HTML:format(status == 503 and RELOAD or "", status, status, sentence)
end

function page.has(status)
  return SENTENCES[status] ~= nil
end

function page.send(status)
  if grpc_answer.is_asked_for() then
    return grpc_answer.send(status, SENTENCES[status])
  end
  ngx.status = status
  ngx.header["Cache-Control"] = "no-store"
  if status == 503 then
    ngx.header["Retry-After"] = "5"
  end
  local wants_html = (ngx.var.http_accept or ""):find("text/html", 1, true)
  local text = wants_html and ready[status] or SENTENCES[status] .. "\n"
  ngx.header["Content-Type"] = wants_html and "text/html; charset=utf-8" or "text/plain; charset=utf-8"
  ngx.header["Content-Length"] = #text
  ngx.print(text)
end

-- The same before a request is handed on.
function page.finish(status)
  body.drop()
  page.send(status)
  return ngx.exit(ngx.OK)
end

return page
