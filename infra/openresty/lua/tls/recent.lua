-- What was needed lately, bounded: values of two generations. When the younger is full the older goes, each value of it
-- through drop; so what is used stays, and what was just got outlives the next few that are added.
local recent = {}
recent.__index = recent

-- most: how many values there are at any time. drop(value), if given, is told of each that goes.
function recent.new(most, drop)
  return setmetatable({ half = math.ceil(most / 2), drop = drop, young = {}, count = 0, old = {} }, recent)
end

local function drop_all(self, values)
  for _, value in pairs(self.drop and values or {}) do
    self.drop(value)
  end
end

-- nil when it is not known.
function recent:get(name)
  local value = self.young[name]
  if value == nil then
    value = self.old[name]
    if value ~= nil then
      self.old[name] = nil
      self:put(name, value)
    end
  end
  return value
end

-- A name that is not there yet.
function recent:put(name, value)
  if self.count >= self.half then
    drop_all(self, self.old)
    self.old, self.young, self.count = self.young, {}, 0
  end
  self.young[name] = value
  self.count = self.count + 1
end

function recent:forget(name)
  for _, values in ipairs { self.young, self.old } do
    if values[name] ~= nil and self.drop then
      self.drop(values[name])
    end
    values[name] = nil -- (the count may be too high then: the generation ends earlier)
  end
end

function recent:clear()
  drop_all(self, self.young)
  drop_all(self, self.old)
  self.young, self.count, self.old = {}, 0, {}
end

return recent
