-- KEYS: the mark. Raises it from what it is known to be at least. Answers 0, and does nothing, where
-- it is not even that: the server has lost what it held.
local known, up_to = tonumber(ARGV[1]), tonumber(ARGV[2])
local held = tonumber(redis.call('GET', KEYS[1]) or '-1')
if held < known then return 0 end
if held < up_to then redis.call('SET', KEYS[1], whole(up_to)) end
return 1
