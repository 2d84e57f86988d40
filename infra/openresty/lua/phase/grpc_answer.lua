-- What a gRPC client is told instead of a page: an answer of trailers alone, whose status says the same (gRPC's "HTTP
-- to gRPC Status Code Mapping").
local grpc_answer = {}

local UNKNOWN = 2
local CODES = {
  [400] = 13, [401] = 16, [403] = 7, [404] = 12, [429] = 14, [502] = 14, [503] = 14, [504] = 14,
}

function grpc_answer.is_asked_for()
  local kind = ngx.var.content_type
  return kind ~= nil and kind:find("^application/grpc") ~= nil and not kind:find("^application/grpc%-web")
end

-- sentence: without a line break and without %.
function grpc_answer.send(status, sentence)
  ngx.status = 200
  ngx.header["Content-Type"] = "application/grpc"
  ngx.header["Content-Length"] = 0
  ngx.header["grpc-status"] = CODES[status] or UNKNOWN
  ngx.header["grpc-message"] = sentence
  ngx.send_headers()
end

return grpc_answer
