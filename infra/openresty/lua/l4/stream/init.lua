-- What nginx's stream side calls, by name (l4/scripted.lua). Shares no memory with the side of requests.
require "resty.core"

local content = require "l4.stream.content"

content.load()

return {
  balance = require "l4.stream.balance",
  done = require("l4.stream.chosen").done,
  preread = require("l4.stream.preread").told,
  preread_untold = require("l4.stream.preread").untold,
  take = require "l4.stream.take",
}
