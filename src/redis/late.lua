-- Stands before every script that changes something. Its last argument is the moment, by the clock
-- of this server, until which somebody may wait for the answer. After that the sender was told that
-- it failed and has asked again: whatever came of that must not be met by the first attempt. Who was
-- told earlier, because the connection broke, is met by it within a second, well inside the grace.
local function server_now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

if server_now() >= tonumber(table.remove(ARGV)) then
  return redis.error_reply('LATE nobody waits for the answer any more')
end
