-- KEYS: user, family, live families of the user, and of the user at the client.
-- Answers {outcome, family, user}.
local epoch, now, sessions_valid_from = ARGV[1], tonumber(ARGV[7]), tonumber(ARGV[8])
local live_max, ttl, gone_at = tonumber(ARGV[9]), ARGV[10], ARGV[11]
local family_prefix, family_id = ARGV[12], ARGV[13]
local FIELDS_FROM = 14
local user_key, family_key, all_key, live_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]

put_user(user_key, epoch, ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ttl)
local user, user_flat = read(user_key)
-- A new login has the user's epoch. One that the journal restores may be older, and kept by a later
-- one.
if user.status ~= 'active' or is_epoch_passed({ id = family_id, epoch = epoch }, user) then
  return { 'user_moved' }
end
-- The journal may apply a login again; the family then stays as it is, alive or ended.
if redis.call('EXISTS', family_key) == 1 then
  return { 'created', redis.call('HGETALL', family_key), user_flat }
end

local function is_used_before(one, other)
  if one.rotatedAtMs ~= other.rotatedAtMs then return one.rotatedAtMs < other.rotatedAtMs end
  return one.id < other.id
end

-- Returns the live ones, and takes the dead out of the index.
local function sift(ids)
  local live = {}
  for _, id in ipairs(ids) do
    local family = read_state(family_prefix .. id)
    if not family then
      redis.call('ZREM', all_key, id)
      redis.call('ZREM', live_key, id)
    elseif find_inactive_reason(family, user, now, sessions_valid_from) then
      leave_live(family_prefix .. id, family)
    else
      family.rotatedAtMs = tonumber(family.rotatedAtMs)
      live[#live + 1] = family
    end
  end
  return live
end

-- Below the limit nothing is looked at, though some in the index may be dead.
local function make_room()
  if redis.call('ZCARD', live_key) < live_max then return end
  local live = sift(redis.call('ZRANGE', live_key, 0, -1))
  table.sort(live, is_used_before)
  for i = 1, #live - live_max + 1 do
    end_family(family_prefix .. live[i].id, live[i], 'session_limit', now)
  end
end

make_room()
redis.call('HSET', family_key, unpack(ARGV, FIELDS_FROM))
redis.call('PEXPIRE', family_key, ttl)
for _, index in ipairs({ all_key, live_key }) do
  redis.call('ZADD', index, gone_at, family_id)
  extend(index, ttl)
end
return { 'created', redis.call('HGETALL', family_key), user_flat }
