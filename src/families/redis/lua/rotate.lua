-- KEYS: family, user. Answers {outcome, detail, family, user}.
local secret_hash, client_id, generation = ARGV[1], ARGV[2], tonumber(ARGV[3])
local given_now, grace, idle_ttl = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local sessions_valid_from = tonumber(ARGV[7])
local ip, user_agent, client_audiences = ARGV[8], ARGV[9], ARGV[10]
-- Words between blanks; empty unless the request names an audience or a scope. Most requests end here.
local requested_audience, requested_scope = ARGV[11], ARGV[12] or ''
local client_scopes, role_bound_scopes = ARGV[13], ARGV[14]
-- Empty unless the sender has shown to hold one.
local jkt, x5t = ARGV[15], ARGV[16]
local rotate_after, never_rotates = tonumber(ARGV[17] or 0), ARGV[18]

local function words(text)
  return string.gmatch(text, '%S+')
end

local function contains(text, word)
  return string.find(' ' .. text .. ' ', ' ' .. word .. ' ', 1, true)
end

local function find_scope_refusal(family, user)
  local has_asked, has_left = false, false
  for scope in words(requested_scope) do
    if not contains(family.scope, scope) then return 'invalid_scope' end
    local is_held = not contains(role_bound_scopes, scope) or contains(user.roles, scope)
    has_asked, has_left = true, has_left or (is_held and contains(client_scopes, scope))
  end
  if has_asked and not has_left then return 'invalid_scope' end
  return nil
end

local function find_audience_refusal(family)
  if requested_audience == '' then
    for audience in words(family.audience) do
      if contains(client_audiences, audience) then return nil end
    end
    return 'invalid_target'
  end
  local has_asked = false
  for audience in words(requested_audience) do
    if not contains(family.audience, audience) or not contains(client_audiences, audience) then
      return 'invalid_target'
    end
    has_asked = true
  end
  return not has_asked and 'invalid_target' or nil
end

local function find_refusal(family, user)
  local refusal = requested_scope ~= '' and find_scope_refusal(family, user)
  return refusal or find_audience_refusal(family)
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
  return network(family.ip) ~= network(ip) or family.user_agent ~= user_agent
end

-- The last 6 bytes of a family that lives are when it was used, where it was since its rotation. Most
-- uses change nothing but these and the numbers, which are then overwritten in place.
local function write_use(key, family)
  local had_used_at = bit.band(family.flags, HAS_USED_AT) > 0
  local has_used_at = family.used_at ~= family.rotated_at
  if family.ip ~= ip or family.user_agent ~= user_agent or had_used_at ~= has_used_at then
    family.ip, family.user_agent = ip, user_agent
    family.flags = bit.bor(bit.band(family.flags, bit.bnot(HAS_USED_AT)),
      has_used_at and HAS_USED_AT or 0)
    write_family(key, family)
    return
  end
  write_numbers(key, family)
  if not has_used_at then return end
  local texts, used = string.sub(family.value, 1, -7), struct.pack(USED_AT, family.used_at)
  redis.call('SETRANGE', key, #texts, used)
  family.value = texts .. used
end

local family = read_family(KEYS[1])
if not family then return { 'inactive', 'family_unknown' } end
if family.secret_hash ~= secret_hash then return { 'inactive', 'family_secret_wrong' } end
if family.client_id ~= client_id then return { 'inactive', 'family_of_other_client' } end
if (family.jkt and family.jkt ~= jkt) or (family.x5t and family.x5t ~= x5t) then
  return { 'inactive', 'family_key_mismatch' }
end

local user = read_user(KEYS[2])
if not user or user.epoch < family.epoch then return { 'user_stale' } end

local now = math.max(given_now, family.used_at)
local inactive = find_inactive_reason(family, user, now, sessions_valid_from)
if inactive then return { 'inactive', inactive } end

local current = family.generation
-- Half open, so that a grace of 0 never forgives, not even within the same millisecond.
local is_retry = generation == current - 1 and now < family.rotated_at + grace
if generation < current and not is_retry then
  end_family(KEYS[2], family, 'reuse_detected', now)
  return { 'replayed', '', family.value }
end

local refusal = find_refusal(family, user)
if refusal then return { 'refused', refusal } end
if is_retry then
  if not is_elsewhere(family) then return { 'retried', '', family.value, user.value } end
  family.retried = math.min(family.retried + 1, RETRIED_MAX)
  write_numbers(KEYS[1], family)
  return { 'retried', 'elsewhere', family.value, user.value }
end

local is_bound = family.jkt or family.x5t
local is_never = never_rotates == 'all' or (never_rotates == 'bound' and is_bound)
if not is_never and generation == current and now < family.rotated_at + rotate_after then
  return { 'kept', '', family.value, user.value }
end

local is_behind = generation > current
if is_behind or not is_never then family.rotated_at = now end
family.generation = is_never and generation or generation + 1
family.epoch, family.used_at = user.epoch, now
family.idle_expires_at = math.min(now + idle_ttl, family.absolute_expires_at)
write_use(KEYS[1], family)
-- The copy of the user lives as long as the family, so that a refresh needs no PostgreSQL.
extend(KEYS[2], redis.call('PTTL', KEYS[1]))
local outcome = is_never and 'kept' or 'rotated'
return { outcome, is_behind and 'behind' or '', family.value, user.value }
