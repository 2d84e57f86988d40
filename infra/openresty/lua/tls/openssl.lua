-- What of OpenSSL nginx's Lua does not offer: whether a certificate and a key are usable together, and until when.
local ffi = require "ffi"

ffi.cdef [[
typedef struct {
  int seconds, minutes, hours, day, month, year, weekday, day_of_year, is_summer;
  long offset;
  const char *zone;
} entrance_tm;

int OPENSSL_sk_num(const void *stack);
void *OPENSSL_sk_value(const void *stack, int place);
const void *X509_get0_notAfter(const void *certificate);
void *X509_get0_pubkey(const void *certificate);
int ASN1_TIME_to_tm(const void *time, entrance_tm *into);
int EVP_PKEY_get_base_id(const void *key);
int EVP_PKEY_base_id(const void *key);
const void *TLS_server_method(void);
void *SSL_CTX_new(const void *method);
int SSL_CTX_use_certificate(void *context, void *certificate);
int SSL_CTX_use_PrivateKey(void *context, void *key);
long SSL_CTX_ctrl(void *context, int command, long number, void *argument);
int X509_check_private_key(const void *certificate, const void *key);
unsigned long ERR_peek_last_error(void);
const char *ERR_reason_error_string(unsigned long code);
void ERR_clear_error(void);
]]

local openssl = {}

local C = ffi.C
local SET_CHAIN, ADD_TO_CHAIN, IS_SHARED = 88, 89, 1

-- OpenSSL 3 has given it another name.
local has_new_name = pcall(function()
  return C.EVP_PKEY_get_base_id
end)
local base_id = has_new_name and C.EVP_PKEY_get_base_id or C.EVP_PKEY_base_id

local tm = ffi.new("entrance_tm")
local context -- holds the pair that was tried last

-- What OpenSSL says of the last thing that went wrong. (What stays in its queue, nginx would take for a connection's.)
local function complaint()
  local code = C.ERR_peek_last_error()
  local text = code ~= 0 and C.ERR_reason_error_string(code)
  local said = text and text ~= nil and ffi.string(text) or "no reason given"
  C.ERR_clear_error()
  return said
end

function openssl.count(chain)
  return C.OPENSSL_sk_num(chain)
end

function openssl.leaf(chain)
  return C.OPENSSL_sk_value(chain, 0)
end

-- The certificate's last moment, RFC 3339 in UTC, which compares as text; nil when it says none.
function openssl.not_after(leaf)
  if C.ASN1_TIME_to_tm(C.X509_get0_notAfter(leaf), tm) ~= 1 then
    C.ERR_clear_error()
    return nil
  end
  return ("%04d-%02d-%02dT%02d:%02d:%02dZ")
    :format(tm.year + 1900, tm.month + 1, tm.day, tm.hours, tm.minutes, tm.seconds)
end

-- What kind of key the certificate is for: a handshake can have one certificate of each.
function openssl.kind(leaf)
  local key = C.X509_get0_pubkey(leaf)
  if key == nil then
    C.ERR_clear_error()
    return 0
  end
  return base_id(key)
end

function openssl.belong_together(leaf, key)
  local fine = C.X509_check_private_key(leaf, key) == 1
  C.ERR_clear_error()
  return fine
end

-- nil when a server may use these, else what OpenSSL has against them (its security level: keys too small, digests too
-- weak).
function openssl.objection(chain, key)
  context = context or C.SSL_CTX_new(C.TLS_server_method())
  if context == nil then
    return complaint()
  end
  local fine = C.SSL_CTX_use_certificate(context, openssl.leaf(chain)) == 1
  fine = fine and C.SSL_CTX_ctrl(context, SET_CHAIN, 0, nil) == 1
  for place = 1, openssl.count(chain) - 1 do
    fine = fine and C.SSL_CTX_ctrl(context, ADD_TO_CHAIN, IS_SHARED, C.OPENSSL_sk_value(chain, place)) == 1
  end
  fine = fine and C.SSL_CTX_use_PrivateKey(context, key) == 1
  return not fine and complaint() or nil
end

return openssl
