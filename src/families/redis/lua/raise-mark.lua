-- KEYS: the mark. Raises it and answers it. Answers nil, and does nothing, when it is below the
-- value that it is known to have had: the server has lost data.
-- Lua itself would write so large a number as 1e+12.
local function whole(number)
  return string.format('%.0f', number)
end

local known, up_to = tonumber(ARGV[1]), tonumber(ARGV[2])
local held = tonumber(redis.call('GET', KEYS[1]) or '-1')
if held < known then return nil end
if held >= up_to then return whole(held) end
redis.call('SET', KEYS[1], whole(up_to))
return whole(up_to)
