-- KEYS: a record `<count> <source of the first use>`. ARGV: the source of this use, for how many ms it is
-- remembered at least. Answers the count, and 1 for another source than the first.
local count, source = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) (.*)$')
count, source = (tonumber(count) or 0) + 1, source or ARGV[1]
local left = math.max(redis.call('PTTL', KEYS[1]), tonumber(ARGV[2]))
redis.call('SET', KEYS[1], string.format('%.0f %s', count, source), 'PX', string.format('%.0f', left))
return { count, source == ARGV[1] and 0 or 1 }
