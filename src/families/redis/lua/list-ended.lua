-- KEYS: the newest ended families of the user. Answers {id, age, id, age, ...}.
local found = {}
local scored = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for i = 1, #scored, 2 do
  if redis.call('EXISTS', ARGV[1] .. scored[i]) == 1 then
    found[#found + 1], found[#found + 2] = scored[i], scored[i + 1]
  else
    redis.call('ZREM', KEYS[1], scored[i])
  end
end
return found
