-- KEYS: counters, each `<count> <ms when it ends>`. ARGV: now, what to do (read, add or mark), then the
-- window of each counter. Answers count and rest of the window of each.
local now, doing = tonumber(ARGV[1]), ARGV[2]
local answer = {}

local function read(key)
  local count, ends = string.match(redis.call('GET', key) or '', '^(%d+) (%d+)$')
  if not count or tonumber(ends) <= now then return 0, now end
  return tonumber(count), tonumber(ends)
end

for i, key in ipairs(KEYS) do
  local count, ends = read(key)
  if doing ~= 'read' then
    if count == 0 or doing == 'mark' then count, ends = 0, now + tonumber(ARGV[2 + i]) end
    count = count + 1
    redis.call('SET', key, string.format('%.0f %.0f', count, ends), 'PX', ends - now)
  end
  answer[#answer + 1] = count
  answer[#answer + 1] = ends - now
end
return answer
