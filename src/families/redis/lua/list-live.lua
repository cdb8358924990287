-- KEYS: user. Looks at the families of some clients, those after the one with the given mark, or
-- from the first when there is none or it has left the index, and takes out the dead. Answers {user,
-- {id, family, id, family, ...}, the mark of the last client, or nothing after the last of all}.
local last, count, slack = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local user_key = KEYS[1]

local user = read_user(user_key)
-- A family that is taken out never comes back, so one is left for a while after it died by time:
-- another instance may have a clock that is behind.
local now = server_now() - tonumber(slack)

local function is_dead(family)
  if user then return find_inactive_reason(family, user, now, 0) end
  return family.ended_at
end

local found = {}
local function look_at(mark, ids)
  for id in each_id(ids) do
    local family = read_family(family_key(user_key, id))
    if not family then
      local at = redis.call('LPOS', user_key, mark)
      if at then forget_live(user_key, redis.call('LINDEX', user_key, at + 1), at + 1, id) end
    elseif is_dead(family) then
      leave_live(user_key, family)
    else
      found[#found + 1], found[#found + 2] = id, family.value
    end
  end
end

-- Read before any is looked at, because that may take clients out of the index.
local begin = last ~= '' and redis.call('LPOS', user_key, last)
begin = begin and begin + 2 or 1
local steps, looked_at = redis.call('LRANGE', user_key, begin, begin + 2 * count - 1), 0
local is_last = #steps < 2 * count
for i = 1, #steps, 2 do
  looked_at = looked_at + #steps[i + 1] / ID_LENGTH
  if i > 1 and looked_at > count then
    is_last = false
    break
  end
  look_at(steps[i], steps[i + 1])
  last = steps[i]
end
return { user and user.value or '', found, is_last and '' or last }
