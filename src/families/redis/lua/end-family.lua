-- KEYS: family, user. An empty client id or secret hash is not compared. Answers the outcome.
local reason, at, client_id, secret_hash = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]

local family = read(KEYS[1])
if not family then return 'unknown' end
if secret_hash ~= '' and family.secretHash ~= secret_hash then return 'secret_wrong' end
if client_id ~= '' and family.clientId ~= client_id then return 'other_client' end

-- findEnd of family-rules.ts: the end that was first in time counts. After a failover the journal
-- may bring back an earlier end than the one that is stored.
local function has_ended_before()
  if family.endedAtMs and tonumber(family.endedAtMs) <= at then return true end
  if tonumber(family.absoluteExpiresAtMs) <= at then return true end
  if tonumber(family.idleExpiresAtMs) <= at then return true end
  local epoch_log = redis.call('HGET', KEYS[2], 'epochLog') or '[]'
  local reached = reached_epoch(family.id, family.epoch, epoch_log)
  for _, start in ipairs(cjson.decode(epoch_log)) do
    if start.epoch > reached then return start.atMs <= at end
  end
  return false
end

if has_ended_before() then return 'already_ended' end
end_family(KEYS[1], family, reason, at)
return family.endedAtMs and 'already_ended' or 'ended'
