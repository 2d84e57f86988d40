-- What a large batch leaves behind is freed at once, step by step and with rests: left alone, LuaJIT waits until as
-- much again has been made.
local breath = require "state.breath"

local STEP_KB = 256
local CYCLES = 2 -- the first may have begun before the batch was over

local function free(premature)
  if premature then
    return
  end
  breath.start()
  for _ = 1, CYCLES do
    while not collectgarbage("step", STEP_KB) do
      breath.take()
    end
  end
end

return function()
  ngx.timer.at(0, free)
end
