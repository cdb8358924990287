-- Put before every other script: how records are packed, the list of a user with the index of the
-- live families in it, and the rules of family-rules.ts. docs/adr/0015-one-packed-record.md says why
-- they are packed, redis-record.ts is the other end.

-- A byte of flags, generation, epoch, repeats from elsewhere, and the times: created, rotated, idle
-- expiry, absolute expiry. They have a fixed width, so that most rotations overwrite them alone.
local NUMBERS = '>BI4I4I2I6I6I6I6'
-- Each after its length: secret hash, client, scope, audience, ip, user agent.
local TEXTS = 'Bc0Bc0Hc0Hc0Bc0Hc0'
-- The flags. It ended; its login had a one-time code (2), or was somebody else's assertion (16): these
-- two are for redis-record.ts; it is bound to the key of a thumbprint, to a certificate; it was used since
-- its rotation.
local HAS_ENDED, HAS_JKT, HAS_X5T, HAS_USED_AT = 1, 4, 8, 32
-- Behind the texts what not every family has: each thumbprint after its length, and when it was used.
-- Then, once it has ended: when, and the reason as the rest.
local THUMBPRINT, USED_AT = 'Bc0', '>I6'
local ENDED_AT = '>I6'
local RETRIED_MAX = 65535

local function family_key(user_key, id)
  return user_key .. ':f:' .. id
end

-- Where a family is that was ended while nothing was known of it: who asked for that.
local function gone_key(user_key, id)
  return user_key .. ':gone:' .. id
end

local function read_family(key)
  local value = redis.call('GET', key)
  if not value then return nil end
  local family, rest = { id = string.match(key, '[^:]*$'), value = value }
  family.flags, family.generation, family.epoch, family.retried, family.created_at, family.rotated_at,
    family.idle_expires_at, family.absolute_expires_at, family.secret_hash, family.client_id,
    family.scope, family.audience, family.ip, family.user_agent, rest =
    struct.unpack(NUMBERS .. TEXTS, value)
  local flags = family.flags
  family.used_at = family.rotated_at
  if flags == 0 then return family end
  if bit.band(flags, HAS_JKT) > 0 then family.jkt, rest = struct.unpack(THUMBPRINT, value, rest) end
  if bit.band(flags, HAS_X5T) > 0 then family.x5t, rest = struct.unpack(THUMBPRINT, value, rest) end
  if bit.band(flags, HAS_USED_AT) > 0 then
    family.used_at, rest = struct.unpack(USED_AT, value, rest)
  end
  if bit.band(flags, HAS_ENDED) > 0 then
    family.ended_at, rest = struct.unpack(ENDED_AT, value, rest)
    family.ended_reason = string.sub(value, rest)
  end
  return family
end

local function pack_numbers(family)
  return struct.pack(NUMBERS, family.flags, family.generation, family.epoch,
    family.retried, family.created_at, family.rotated_at, family.idle_expires_at,
    family.absolute_expires_at)
end

local function pack_thumbprint(family, flag, thumbprint)
  if bit.band(family.flags, flag) == 0 then return '' end
  return struct.pack(THUMBPRINT, #thumbprint, thumbprint)
end

local function pack_family(family)
  local texts = struct.pack('>' .. TEXTS, #family.secret_hash, family.secret_hash,
    #family.client_id, family.client_id, #family.scope, family.scope, #family.audience,
    family.audience, #family.ip, family.ip, #family.user_agent, family.user_agent)
  local bound = pack_thumbprint(family, HAS_JKT, family.jkt) ..
    pack_thumbprint(family, HAS_X5T, family.x5t)
  local used = family.used_at ~= family.rotated_at and struct.pack(USED_AT, family.used_at) or ''
  local ended = ''
  if family.ended_at then ended = struct.pack(ENDED_AT, family.ended_at) .. family.ended_reason end
  family.value = pack_numbers(family) .. texts .. bound .. used .. ended
  return family.value
end

-- Where nothing but numbers has changed: neither memory nor the append-only file grows by the rest.
local function write_numbers(key, family)
  local numbers = pack_numbers(family)
  redis.call('SETRANGE', key, 0, numbers)
  family.value = numbers .. string.sub(family.value, #numbers + 1)
end

local function write_family(key, family)
  redis.call('SET', key, pack_family(family), 'KEEPTTL')
end

-- Version, epoch, and the status, 0 for an active one. Then username, roles and the epoch log.
local USER = '>I6I4BHc0Hc0Hc0'

-- The list of a user begins with the record, which is empty where the copy was lost.
local function read_user(key)
  local value = redis.call('LINDEX', key, 0)
  if not value or value == '' then return nil end
  local user = { value = value }
  user.version, user.epoch, user.status, user.username, user.roles, user.epoch_log =
    struct.unpack(USER, value)
  return user
end

-- Makes a key live at least `ttl`, and never shorter than before.
local function extend(key, ttl)
  if redis.call('PTTL', key) < tonumber(ttl) then redis.call('PEXPIRE', key, ttl) end
end

-- Of each epoch in its order: number, when it began, and the family that it keeps or ''.
local function epoch_starts(epoch_log)
  return string.gmatch(epoch_log, '(%d+) %S+ (%d+) ([^%s,]*),')
end

-- reachedEpoch of family-rules.ts
local function reached_epoch(family_id, family_epoch, epoch_log)
  local reached = family_epoch
  for epoch, _, kept in epoch_starts(epoch_log) do
    if kept == family_id and tonumber(epoch) == reached + 1 then reached = reached + 1 end
  end
  return reached
end

local function stamp_kept_family(user_key, user_epoch, epoch_log)
  local id = string.match(epoch_log, ' ([^%s,]+),$')
  if not id then return end
  local key = family_key(user_key, id)
  local family = read_family(key)
  if not family or family.epoch >= user_epoch then return end
  if reached_epoch(id, family.epoch, epoch_log) == user_epoch then
    family.epoch = user_epoch
    write_numbers(key, family)
  end
end

-- Answers the record that the store holds afterwards.
local function put_user(key, version, epoch, status, username, roles, epoch_log, ttl)
  version, epoch = tonumber(version), tonumber(epoch)
  local held = read_user(key)
  local is_newer = not held or version > held.version
  -- A record of an older release, from the journal, has no name.
  local lacks_name = held and held.version == version and held.username == '' and username ~= ''
  if is_newer or lacks_name then
    local value = struct.pack(USER, version, epoch, tonumber(status), #username, username, #roles,
      roles, #epoch_log, epoch_log)
    if redis.call('EXISTS', key) == 1 then
      redis.call('LSET', key, 0, value)
    else
      redis.call('RPUSH', key, value)
    end
    held = read_user(key)
  end
  extend(key, ttl)
  stamp_kept_family(key, epoch, epoch_log)
  return held
end

-- The index of the live families: behind the record, by turns a mark for a client and the ids of its
-- families one after the other. Two clients of a user may share a mark: whoever counts looks at the
-- families.
local ID_LENGTH = 22
local function client_mark(client_id)
  return string.sub(redis.sha1hex(client_id), 1, 4)
end

-- Answers the ids, and where in the list they stand.
local function read_live(user_key, client_id)
  local at = redis.call('LPOS', user_key, client_mark(client_id))
  if not at then return '', nil end
  return redis.call('LINDEX', user_key, at + 1), at + 1
end

local function each_id(ids)
  return string.gmatch(ids, string.rep('.', ID_LENGTH))
end

local function join_live(user_key, client_id, id)
  local ids, at = read_live(user_key, client_id)
  if at then
    redis.call('LSET', user_key, at, ids .. id)
  else
    redis.call('RPUSH', user_key, client_mark(client_id), id)
  end
end

local function forget_live(user_key, ids, at, gone)
  local left = {}
  for id in each_id(ids) do
    if id ~= gone then left[#left + 1] = id end
  end
  if #left > 0 then
    redis.call('LSET', user_key, at, table.concat(left))
    return
  end
  redis.call('LSET', user_key, at - 1, '-')
  redis.call('LSET', user_key, at, '-')
  redis.call('LREM', user_key, 2, '-')
end

-- Moves a family from the index of the live ones to that of the ended ones, which holds the newest
-- 200 of a user; older ones are found by their id alone. Families that died unnoticed stay with the
-- live.
local ENDED_LISTED_MAX = 200
local function leave_live(user_key, family)
  local ids, at = read_live(user_key, family.client_id)
  if at then forget_live(user_key, ids, at, family.id) end
  local ended = user_key .. ':ended'
  redis.call('ZADD', ended, family.created_at, family.id)
  redis.call('ZREMRANGEBYRANK', ended, 0, -ENDED_LISTED_MAX - 1)
  extend(ended, redis.call('PTTL', family_key(user_key, family.id)))
end

local function end_family(user_key, family, reason, at)
  family.ended_at, family.ended_reason = at, reason
  family.flags = bit.bor(family.flags, HAS_ENDED)
  write_family(family_key(user_key, family.id), family)
  leave_live(user_key, family)
end

local function is_epoch_passed(family, user)
  if family.epoch >= user.epoch then return false end
  return reached_epoch(family.id, family.epoch, user.epoch_log) < user.epoch
end

local function find_inactive_reason(family, user, now, sessions_valid_from)
  if family.ended_at then return 'family_ended' end
  if now >= family.absolute_expires_at then return 'family_absolute_expired' end
  if now >= family.idle_expires_at then return 'family_idle_expired' end
  if user.status ~= 0 then return 'user_inactive' end
  if is_epoch_passed(family, user) then return 'user_epoch_passed' end
  if family.created_at < sessions_valid_from then return 'client_sessions_ended' end
  return nil
end
