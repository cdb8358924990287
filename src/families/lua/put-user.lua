-- KEYS: user and, where one family is kept, that family.
local epoch, ttl = ARGV[1], ARGV[6]

put_user(KEYS[1], epoch, ARGV[2], ARGV[3], ARGV[4], ARGV[5], ttl)
-- From exactly the epoch before, so that applying it again revives nothing.
if KEYS[2] and redis.call('HGET', KEYS[2], 'epoch') == whole(tonumber(epoch) - 1) then
  redis.call('HSET', KEYS[2], 'epoch', epoch)
end
