-- Put before every other script: how records are read and written, and the rules of
-- family-rules.ts. Lists stay JSON text from end to end, because cjson would write [] as {};
-- numbers are written with %.0f, because Lua would write a large one as 1e+15.

local function read(key)
  local flat = redis.call('HGETALL', key)
  if #flat == 0 then return nil, flat end
  local record = { id = string.match(key, '[^:]*$') }
  for i = 1, #flat, 2 do record[flat[i]] = flat[i + 1] end
  return record, flat
end

-- Only the fields that decide whether a family lives and which was used last: a third of the cost.
local STATE = {
  'clientId', 'epoch', 'createdAtMs', 'rotatedAtMs', 'idleExpiresAtMs', 'absoluteExpiresAtMs',
  'endedAtMs',
}
local function read_state(key)
  local values = redis.call('HMGET', key, unpack(STATE))
  if not values[1] then return nil end
  local state = { id = string.match(key, '[^:]*$') }
  for i, name in ipairs(STATE) do state[name] = values[i] end
  return state
end

local function whole(number)
  return string.format('%.0f', number)
end

-- Makes a key live at least `ttl`, and never shorter than before.
local function extend(key, ttl)
  if redis.call('PTTL', key) < tonumber(ttl) then redis.call('PEXPIRE', key, ttl) end
end

-- reachedEpoch of family-rules.ts
local function reached_epoch(family_id, family_epoch, epoch_log)
  local reached = tonumber(family_epoch)
  for _, start in ipairs(cjson.decode(epoch_log)) do
    if start.epoch == reached + 1 and start.keptFamilyId == family_id then reached = start.epoch end
  end
  return reached
end

-- The user's key is <tag>:user, a family's <tag>:f:<id>.
local function stamp_kept_family(user_key, user_epoch, epoch_log)
  if not string.find(epoch_log, 'keptFamilyId', 1, true) then return end
  local log = cjson.decode(epoch_log)
  local id = log[#log].keptFamilyId
  if not id then return end
  local key = string.sub(user_key, 1, -#'user' - 1) .. 'f:' .. id
  local epoch = redis.call('HGET', key, 'epoch')
  if not epoch or tonumber(epoch) >= tonumber(user_epoch) then return end
  if reached_epoch(id, epoch, epoch_log) == tonumber(user_epoch) then
    redis.call('HSET', key, 'epoch', user_epoch)
  end
end

local function put_user(key, epoch, status, roles, version, epoch_log, username, ttl)
  local held = redis.call('HMGET', key, 'version', 'username')
  local is_newer = not held[1] or tonumber(version) > tonumber(held[1])
  -- A copy that an older release wrote has no name yet.
  local lacks_name = held[1] == version and (held[2] or '') == '' and username ~= ''
  if is_newer or lacks_name then
    redis.call('HSET', key, 'epoch', epoch, 'status', status, 'roles', roles,
      'version', version, 'epochLog', epoch_log, 'username', username)
  end
  extend(key, ttl)
  stamp_kept_family(key, epoch, epoch_log)
end

-- Moves a family from the index of the live ones to that of the ended ones, which holds the newest
-- 200 of a user; older ones are found by their id alone. Families that died unnoticed stay with the
-- live.
local ENDED_LISTED_MAX = 200
local function leave_live(key, family)
  local tag = string.match(key, '^(.*):f:')
  redis.call('ZREM', tag .. ':families', family.id)
  redis.call('ZREM', tag .. ':live:' .. family.clientId, family.id)
  local ended = tag .. ':ended'
  redis.call('ZADD', ended, family.createdAtMs, family.id)
  redis.call('ZREMRANGEBYRANK', ended, 0, -ENDED_LISTED_MAX - 1)
  extend(ended, redis.call('PTTL', key))
end

local function end_family(key, family, reason, at)
  redis.call('HSET', key, 'endedReason', reason, 'endedAtMs', whole(at))
  leave_live(key, family)
end

local function is_epoch_passed(family, user)
  if tonumber(family.epoch) >= tonumber(user.epoch) then return false end
  return reached_epoch(family.id, family.epoch, user.epochLog) < tonumber(user.epoch)
end

local function find_inactive_reason(family, user, now, sessions_valid_from)
  if family.endedAtMs then return 'family_ended' end
  if now >= tonumber(family.absoluteExpiresAtMs) then return 'family_absolute_expired' end
  if now >= tonumber(family.idleExpiresAtMs) then return 'family_idle_expired' end
  if user.status ~= 'active' then return 'user_inactive' end
  if is_epoch_passed(family, user) then return 'user_epoch_passed' end
  if tonumber(family.createdAtMs) < sessions_valid_from then return 'client_sessions_ended' end
  return nil
end

local function contains(list, value)
  for _, item in ipairs(list) do
    if item == value then return true end
  end
  return false
end
