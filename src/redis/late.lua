-- Put before every script that changes something. The last argument is the moment, by the clock of
-- this server, until which the sender waits for the answer. After it the sender was told that the
-- command failed and has repeated it, so this first attempt must do nothing. A sender whose
-- connection broke knows earlier; its first attempt may still run within a second, well inside the
-- grace.
local function server_now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

if server_now() >= tonumber(table.remove(ARGV)) then
  return redis.error_reply('LATE nobody waits for the answer any more')
end
