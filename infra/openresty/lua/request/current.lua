-- What the hot path asks of the request that is worked on, by FFI. No function here ends in a call, as those of ngx.now
-- and ngx.var do: LuaJIT can't compile such a one by itself, and tries again and again when it gets hot before its
-- caller does.
local base = require "resty.core.base"
local ffi = require "ffi"
require "resty.core"

local current = {}

local C, cast, text = ffi.C, ffi.cast, ffi.string
local lower_case = ffi.new("char[16]")
local value, length, problem = ffi.new("char *[1]"), ffi.new("size_t[1]"), ffi.new("char *[1]")

-- The request itself, which all others take.
current.get = base.get_request

-- A number that no other request of this worker has at the same time.
function current.address(request)
  local address = tonumber(cast("uintptr_t", request))
  return address
end

-- $http_host
function current.host(request)
  if C.ngx_http_lua_ffi_var_get(request, "http_host", 9, lower_case, 0, value, length, problem) ~= 0 then
    return nil
  end
  local host = text(value[0], length[0])
  return host
end

-- $bytes_sent
function current.bytes_sent(request)
  if C.ngx_http_lua_ffi_var_get(request, "bytes_sent", 10, lower_case, 0, value, length, problem) ~= 0 then
    return 0
  end
  local bytes = tonumber(text(value[0], length[0]))
  return bytes
end

-- 0: none was sent.
function current.status(request)
  local status = C.ngx_http_lua_ffi_get_resp_status(request)
  return status
end

-- Since the request began.
function current.seconds(request)
  local seconds = C.ngx_http_lua_ffi_now() - C.ngx_http_lua_ffi_req_start_time(request)
  return seconds
end

return current
