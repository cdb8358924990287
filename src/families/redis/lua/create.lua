-- KEYS: user, family. Answers {outcome, family, user, how many others were ended}.
local user_key, key = KEYS[1], KEYS[2]
local now, sessions_valid_from = tonumber(ARGV[7]), tonumber(ARGV[8])
local live_max, ttl = tonumber(ARGV[9]), ARGV[10]
local made = {
  id = string.match(key, '[^:]*$'), epoch = tonumber(ARGV[2]), generation = 0, retried = 0,
  created_at = tonumber(ARGV[11]), rotated_at = now, used_at = now, idle_expires_at = tonumber(ARGV[12]),
  absolute_expires_at = tonumber(ARGV[13]), secret_hash = ARGV[14], client_id = ARGV[15],
  scope = ARGV[16], audience = ARGV[17], ip = ARGV[18], user_agent = ARGV[19],
  flags = tonumber(ARGV[20]), jkt = ARGV[21], x5t = ARGV[22],
}

-- Only what is made again can have ended before (end-family.lua).
local function was_ended()
  local gone = redis.call('GET', gone_key(user_key, made.id))
  if not gone then return false end
  local client_id, secret_hash = string.match(gone, '^(%S*) (%S*)$')
  return (client_id == '' or client_id == made.client_id) and
    (secret_hash == '' or secret_hash == made.secret_hash)
end
if was_ended() then return { 'user_moved' } end

local user = put_user(user_key, ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ttl)
-- A new login has the user's epoch. One that the journal restores may be older, and kept by a later
-- one.
if user.status ~= 0 or is_epoch_passed(made, user) then return { 'user_moved' } end
-- The journal may apply a login again; the family then stays as it is, alive or ended.
local held = redis.call('GET', key)
if held then return { 'created', held, user.value, 0 } end

local function is_used_before(one, other)
  if one.used_at ~= other.used_at then return one.used_at < other.used_at end
  return one.id < other.id
end

-- Returns the live ones, and takes the dead out of the index.
local function sift(ids)
  local live = {}
  for id in each_id(ids) do
    local family = read_family(family_key(user_key, id))
    if not family then
      local left, place = read_live(user_key, made.client_id)
      if place then forget_live(user_key, left, place, id) end
    elseif find_inactive_reason(family, user, now, sessions_valid_from) then
      leave_live(user_key, family)
    elseif family.client_id == made.client_id then
      live[#live + 1] = family
    end
  end
  return live
end

-- Below the limit nothing is looked at, though some in the index may be dead.
local function make_room()
  local ids = read_live(user_key, made.client_id)
  if #ids < live_max * ID_LENGTH then return 0 end
  local live = sift(ids)
  table.sort(live, is_used_before)
  local surplus = math.max(0, #live - live_max + 1)
  for i = 1, surplus do end_family(user_key, live[i], 'session_limit', now) end
  return surplus
end

local displaced = make_room()
redis.call('SET', key, pack_family(made), 'PX', ttl)
join_live(user_key, made.client_id, made.id)
return { 'created', made.value, user.value, displaced }
