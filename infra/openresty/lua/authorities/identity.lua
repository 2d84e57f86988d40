-- Certificates of those who sign for a pool's members, named by their hash.
local backend_tls = require "model.backend_tls"
local ffi = require "ffi"
local recent = require "tls.recent"

ffi.cdef [[
unsigned char *SHA256(const unsigned char *bytes, size_t length, unsigned char *digest);
]]

local BYTES = 32
local MAX_REMEMBERED = 128 -- twice what a node takes (authorities/loaded.lua)
local digest = ffi.new("unsigned char[?]", BYTES)

local known = recent.new(MAX_REMEMBERED) -- by what was sent: {hex, text}

local function look_at(ca)
  local text = backend_tls.certificates(ca)
  ffi.C.SHA256(text, #text, digest)
  local hex = ffi.string(digest, BYTES):gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end)
  return { hex = hex, text = text }
end

-- SHA-256 in hex of the certificates alone, and these; of a pool's `ca`, which was checked.
return function(ca)
  local name = ngx.sha1_bin(ca)
  local it = known:get(name)
  if not it then
    it = look_at(ca)
    known:put(name, it)
  end
  return it.hex, it.text
end
