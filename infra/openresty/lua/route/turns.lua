-- Smooth weighted round robin, worked out once: the order in which choices of given weights take turns.
local turns = {}

local MAX_TURNS = 2048 -- an order longer than this is rounded

local function divisor(a, b)
  while b ~= 0 do
    a, b = b, a % b
  end
  return a
end

local function reduce(weights)
  local common, total = 0, 0
  for _, weight in ipairs(weights) do
    common = divisor(weight, common)
  end
  local reduced = {}
  for place, weight in ipairs(weights) do
    reduced[place] = weight / common
    total = total + reduced[place]
  end
  if total > MAX_TURNS then
    local factor = MAX_TURNS / total
    total = 0
    for place, weight in ipairs(reduced) do
      reduced[place] = weight > 0 and math.max(1, math.floor(weight * factor)) or 0
      total = total + reduced[place]
    end
  end
  return reduced, total
end

local function are_alike(weights)
  for _, weight in ipairs(weights) do
    if weight ~= weights[1] then
      return false
    end
  end
  return true
end

-- weights: a list, at least one above 0. Gives a list of places in it, each as often as its weight says.
function turns.order(weights)
  local current, order = {}, {}
  if are_alike(weights) then
    for place = 1, #weights do
      order[place] = place
    end
    return order
  end
  local reduced, total = reduce(weights)
  for place = 1, #reduced do
    current[place] = 0
  end
  for turn = 1, total do
    local best
    for place, weight in ipairs(reduced) do
      current[place] = current[place] + weight
      if weight > 0 and (not best or current[place] > current[best]) then
        best = place
      end
    end
    current[best] = current[best] - total
    order[turn] = best
  end
  return order
end

return turns
