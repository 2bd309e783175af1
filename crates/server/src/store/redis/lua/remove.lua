-- Removes a message with everything of it, if it was last changed before a time: 1, or 0. KEYS: message, entries, answers'
-- names, answers, changed, list, what names it…. ARGV: number, the time.
local time = redis.call('HGET', KEYS[1], 'time')
if not time then
  redis.call('ZREM', KEYS[5], ARGV[1])
  return 0
end
if tonumber(time) >= tonumber(ARGV[2]) then
  -- To its place among changes, of which commits keep only the minute.
  redis.call('ZADD', KEYS[5], time, ARGV[1])
  return 0
end
redis.call('ZREM', KEYS[5], ARGV[1])
redis.call('ZREM', KEYS[6], ARGV[1])
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
for i = 7, #KEYS do redis.call('DEL', KEYS[i]) end
return 1
