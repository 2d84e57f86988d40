-- A certificate chain and its key, parsed: {chain, key, kind, not_after}.
local ffi = require "ffi"
local openssl = require "tls.openssl"
local ssl = require "ngx.ssl"

local pair = {}

local MAX_CHAIN_BYTES, MAX_KEY_BYTES = 131072, 32768
local MAX_CERTIFICATES = 16 -- in a chain

local function size_problem(name, text, most)
  if type(text) ~= "string" or text == "" or #text > most then
    return ("%s must be a PEM text of at most %d bytes"):format(name, most)
  end
  return nil
end

-- The pair, or nil and what to change. Whoever gets it frees it.
function pair.parse(chain_text, key_text)
  local problem = size_problem("chain", chain_text, MAX_CHAIN_BYTES) or size_problem("key", key_text, MAX_KEY_BYTES)
  if problem then
    return nil, problem
  elseif key_text:find("ENCRYPTED", 1, true) then
    return nil, "key has a passphrase: take it off (openssl pkey -in FILE)" -- OpenSSL would ask for it, on a terminal
  end
  local chain = ssl.parse_pem_cert(chain_text)
  if not chain then
    return nil, "chain is no PEM certificate chain: the host's own certificate first, then those that signed it"
  end
  local key = ssl.parse_pem_priv_key(key_text)
  if not key then
    pair.free { chain = chain }
    return nil, "key is no PEM private key"
  end
  local leaf = openssl.leaf(chain)
  return { chain = chain, key = key, kind = openssl.kind(leaf), not_after = openssl.not_after(leaf) or "" }
end

-- What OpenSSL holds counts for nothing with Lua's collector, which would leave it lying about for long.
function pair.free(it)
  if it and it.chain then
    ffi.C.ngx_http_lua_ffi_free_cert(ffi.gc(it.chain, nil))
  end
  if it and it.key then
    ffi.C.ngx_http_lua_ffi_free_priv_key(ffi.gc(it.key, nil))
  end
end

-- nil when a handshake can use it, else what to change.
function pair.objection(it)
  if openssl.count(it.chain) > MAX_CERTIFICATES then
    return ("the chain has more than %d certificates"):format(MAX_CERTIFICATES)
  elseif not openssl.belong_together(openssl.leaf(it.chain), it.key) then
    return "key does not belong to the first certificate of the chain: send the key that it was made with"
  end
  local said = openssl.objection(it.chain, it.key)
  return said and ("OpenSSL does not take this certificate (%s): make another, of RSA with 2048 bits or of ECDSA")
    :format(said)
end

return pair
