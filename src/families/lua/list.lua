-- KEYS: user, every family of the user. Answers {user, {id, family, id, family, ...}}.
local family_prefix = ARGV[1]
local families = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  local _, flat = read(family_prefix .. id)
  if #flat > 0 then
    families[#families + 1] = id
    families[#families + 1] = flat
  end
end
return { redis.call('HGETALL', KEYS[1]), families }
