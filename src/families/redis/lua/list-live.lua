-- KEYS: user, live families of the user. Looks at some of them, those that are kept longest first,
-- and takes out the dead. Begins after the family that is named, or at the first when there is none
-- or it has left the index. Answers {user, {{id, family}, ...}, how many it has looked at}.
local family_prefix, last, count, slack = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]

local user, user_flat = read(KEYS[1])
-- A family that is taken out never comes back, so one is left for a while after it died by time:
-- another instance may have a clock that is behind.
local now = server_now() - tonumber(slack)

local function is_dead(family)
  if user then return find_inactive_reason(family, user, now, 0) end
  return family.endedAtMs
end

local families = {}
local rank = redis.call('ZREVRANK', KEYS[2], last)
local from = rank and rank + 1 or 0
local ids = redis.call('ZREVRANGE', KEYS[2], from, from + count - 1)
for _, id in ipairs(ids) do
  local key = family_prefix .. id
  local state = read_state(key)
  if not state then
    redis.call('ZREM', KEYS[2], id)
  elseif is_dead(state) then
    leave_live(key, state)
  else
    families[#families + 1] = { id, redis.call('HGETALL', key) }
  end
end
return { user_flat, families, #ids }
