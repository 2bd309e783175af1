-- Numbers of a conversation's messages, newest first. KEYS: list, of either user by the MsgKey before which to begin.
-- ARGV: from time, to time, at most.
local before = (KEYS[2] and redis.call('GET', KEYS[2])) or (KEYS[3] and redis.call('GET', KEYS[3]))
if not before then
  return redis.call('ZRANGE', KEYS[1], ARGV[2], ARGV[1], 'BYSCORE', 'REV', 'LIMIT', 0, ARGV[3])
end
local rank = redis.call('ZREVRANK', KEYS[1], before)
local oldest, newest = tonumber(ARGV[1]), tonumber(ARGV[2])
local numbers, first = {}, rank + 1
-- Nor is what is too new walked through, of which there may be much.
if newest then first = math.max(first, redis.call('ZCOUNT', KEYS[1], '(' .. ARGV[2], '+inf')) end
while #numbers < tonumber(ARGV[3]) do
  local page = redis.call('ZREVRANGE', KEYS[1], first, first + 99, 'WITHSCORES')
  for i = 1, #page, 2 do
    local time = tonumber(page[i + 1])
    if time < oldest then return numbers end
    if (not newest or time <= newest) and #numbers < tonumber(ARGV[3]) then numbers[#numbers + 1] = page[i] end
  end
  if #page < 200 then break end
  first = first + 100
end
return numbers
