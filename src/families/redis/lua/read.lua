-- KEYS: families. Answers them in their order.
local families = {}
for i, key in ipairs(KEYS) do families[i] = redis.call('GET', key) end
return families
