-- Certificates of those who sign for a pool's members, named by their hash.
local backend_tls = require "model.backend_tls"
local ffi = require "ffi"

ffi.cdef [[
unsigned char *SHA256(const unsigned char *bytes, size_t length, unsigned char *digest);
]]

local BYTES = 32
local digest = ffi.new("unsigned char[?]", BYTES)

-- SHA-256 in hex of the certificates alone, and these; of a pool's `ca`, which was checked.
return function(ca)
  local text = backend_tls.certificates(ca)
  ffi.C.SHA256(text, #text, digest)
  local hex = ffi.string(digest, BYTES):gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end)
  return hex, text
end
