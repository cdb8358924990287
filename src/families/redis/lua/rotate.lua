-- KEYS: family, user. Answers {outcome, detail, family, user} as one JSON string, which
-- is parsed faster than forty strings: every refresh waits for this script.
local secret_hash, client_id, generation = ARGV[1], ARGV[2], tonumber(ARGV[3])
local given_now, grace, idle_ttl = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local sessions_valid_from = tonumber(ARGV[7])
local requested_scope, client_scopes, role_bound_scopes = ARGV[8], ARGV[9], ARGV[10]
local requested_audience, client_audiences = ARGV[11], ARGV[12]
local ip, user_agent = ARGV[13], ARGV[14]

local function find_refusal(family, user)
  if requested_scope ~= '' then
    local granted, possible = cjson.decode(family.scope), cjson.decode(client_scopes)
    local bound, roles = cjson.decode(role_bound_scopes), cjson.decode(user.roles)
    local wanted, left = cjson.decode(requested_scope), 0
    for _, scope in ipairs(wanted) do
      if not contains(granted, scope) then return 'invalid_scope' end
      local held = not contains(bound, scope) or contains(roles, scope)
      if held and contains(possible, scope) then left = left + 1 end
    end
    if #wanted > 0 and left == 0 then return 'invalid_scope' end
  end
  local possible, allowed = cjson.decode(client_audiences), {}
  for _, audience in ipairs(cjson.decode(family.audience)) do
    if contains(possible, audience) then allowed[#allowed + 1] = audience end
  end
  local wanted = { allowed[1] }
  if requested_audience ~= '' then wanted = cjson.decode(requested_audience) end
  if #wanted == 0 then return 'invalid_target' end
  for _, audience in ipairs(wanted) do
    if not contains(allowed, audience) then return 'invalid_target' end
  end
  return nil
end

-- sourceNetwork of source-network.ts, for addresses in their canonical form.
local function network(address)
  if not string.find(address, ':', 1, true) then return address end
  local head, tail = string.match(address, '^(.-)::(.*)$')
  local groups, rest = {}, {}
  for group in string.gmatch(head or address, '[^:]+') do groups[#groups + 1] = group end
  for group in string.gmatch(tail or '', '[^:]+') do rest[#rest + 1] = group end
  for _ = 1, head and 8 - #groups - #rest or 0 do groups[#groups + 1] = '0' end
  for _, group in ipairs(rest) do groups[#groups + 1] = group end
  return table.concat(groups, ':', 1, math.min(4, #groups))
end

local function is_elsewhere(family)
  return network(family.ip) ~= network(ip) or family.userAgent ~= user_agent
end

local answer = cjson.encode

local family, family_flat = read(KEYS[1])
if not family then return answer({ 'inactive', 'family_unknown' }) end
if family.secretHash ~= secret_hash then return answer({ 'inactive', 'family_secret_wrong' }) end
if family.clientId ~= client_id then return answer({ 'inactive', 'family_of_other_client' }) end

local user, user_flat = read(KEYS[2])
if not user or tonumber(user.epoch) < tonumber(family.epoch) then return answer({ 'user_stale' }) end

local now = math.max(given_now, tonumber(family.rotatedAtMs))
local inactive = find_inactive_reason(family, user, now, sessions_valid_from)
if inactive then return answer({ 'inactive', inactive }) end

local current = tonumber(family.generation)
-- Half open, so that a grace of 0 never forgives, not even within the same millisecond.
local is_retry = generation == current - 1 and now < tonumber(family.rotatedAtMs) + grace
if generation < current and not is_retry then
  end_family(KEYS[1], family, 'reuse_detected', now)
  return answer({ 'replayed', '', redis.call('HGETALL', KEYS[1]) })
end

local refusal = find_refusal(family, user)
if refusal then return answer({ 'refused', refusal }) end
if is_retry then
  if not is_elsewhere(family) then return answer({ 'retried', '', family_flat, user_flat }) end
  redis.call('HINCRBY', KEYS[1], 'retriedElsewhere', 1)
  return answer({ 'retried', 'elsewhere', redis.call('HGETALL', KEYS[1]), user_flat })
end

local absolute = tonumber(family.absoluteExpiresAtMs)
redis.call('HSET', KEYS[1], 'generation', whole(generation + 1), 'rotatedAtMs', whole(now),
  'idleExpiresAtMs', whole(math.min(now + idle_ttl, absolute)), 'ip', ip, 'userAgent', user_agent,
  'epoch', user.epoch)
-- The copy of the user lives as long as the family, so that a refresh needs no PostgreSQL.
extend(KEYS[2], redis.call('PTTL', KEYS[1]))
return answer({
  'rotated', generation > current and 'behind' or '', redis.call('HGETALL', KEYS[1]), user_flat,
})
