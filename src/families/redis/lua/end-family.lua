-- KEYS: family, user. An empty client id or secret hash is not compared. Answers the outcome.
-- For longer than any call lives.
local GONE_MS = 10000
local reason, at, client_id, secret_hash = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]

local family = read_family(KEYS[1])
if not family then
  -- Somebody may be about to make it again, of a login that the journal had until this end was there.
  local gone = client_id .. ' ' .. secret_hash
  redis.call('SET', gone_key(KEYS[2], string.match(KEYS[1], '[^:]*$')), gone, 'PX', GONE_MS)
  return 'unknown'
end
if secret_hash ~= '' and family.secret_hash ~= secret_hash then return 'secret_wrong' end
if client_id ~= '' and family.client_id ~= client_id then return 'other_client' end

-- findEnd of family-rules.ts: the end that was first in time counts. After a failover the journal
-- may bring back an earlier end than the one that is stored.
local function has_ended_before()
  if family.ended_at and family.ended_at <= at then return true end
  if family.absolute_expires_at <= at or family.idle_expires_at <= at then return true end
  local user = read_user(KEYS[2])
  if not user then return false end
  local reached = reached_epoch(family.id, family.epoch, user.epoch_log)
  for epoch, began_at in epoch_starts(user.epoch_log) do
    if tonumber(epoch) > reached then return tonumber(began_at) <= at end
  end
  return false
end

if has_ended_before() then return 'already_ended' end
local outcome = family.ended_at and 'already_ended' or 'ended'
end_family(KEYS[2], family, reason, at)
return outcome
