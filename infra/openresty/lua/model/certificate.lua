-- Certificate/NAMESPACE/NAME: a chain, its key, the names that it is for.
local field = require "model.field"
local verdict = require "tls.verdict"

local MAX_NAMES = 1000
local MAX_NAME = 253

local function check_name(name)
  return field.text("a name", name, MAX_NAME)
end

local function check_time(text)
  if type(text) ~= "string" or not text:find("^%d%d%d%d%-%d%d%-%d%dT[%d:%.]+Z$") then
    return 'notAfter must be a time such as "2036-11-19T10:21:40Z"'
  end
  return nil
end

return function(value)
  return field.list("names", field.default(value.names, {}), MAX_NAMES, check_name)
    or check_time(value.notAfter)
    or verdict(value.chain, value.key)
end
