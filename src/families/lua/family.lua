-- Stands before every other script: how records are read and written, and the rules of
-- family-rules.ts. Lists stay JSON text from end to end, because cjson would write [] as {};
-- numbers are written with %.0f, because Lua would write a large one as 1e+15.

local function read(key)
  local flat = redis.call('HGETALL', key)
  if #flat == 0 then return nil, flat end
  local record = {}
  for i = 1, #flat, 2 do record[flat[i]] = flat[i + 1] end
  return record, flat
end

local function whole(number)
  return string.format('%.0f', number)
end

-- A key may live longer than asked for, never shorter than before.
local function extend(key, ttl)
  if redis.call('PTTL', key) < tonumber(ttl) then redis.call('PEXPIRE', key, ttl) end
end

local function put_user(key, epoch, status, roles, version, epoch_log, ttl)
  local held = redis.call('HGET', key, 'version')
  if not held or tonumber(version) > tonumber(held) then
    redis.call('HSET', key, 'epoch', epoch, 'status', status, 'roles', roles,
      'version', version, 'epochLog', epoch_log)
  end
  extend(key, ttl)
end

local function end_family(key, reason, at)
  redis.call('HSET', key, 'endedReason', reason, 'endedAtMs', whole(at))
end

local function find_inactive_reason(family, user, now, sessions_valid_from)
  if family.endedAtMs then return 'family_ended' end
  if now >= tonumber(family.absoluteExpiresAtMs) then return 'family_absolute_expired' end
  if now >= tonumber(family.idleExpiresAtMs) then return 'family_idle_expired' end
  if user.status ~= 'active' then return 'user_inactive' end
  if tonumber(family.epoch) < tonumber(user.epoch) then return 'user_epoch_passed' end
  if tonumber(family.createdAtMs) < sessions_valid_from then return 'client_sessions_ended' end
  return nil
end

local function contains(list, value)
  for _, item in ipairs(list) do
    if item == value then return true end
  end
  return false
end
