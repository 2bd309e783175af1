-- Counts a call: how many there were in this second. KEYS: calls, by second.
local second = redis.call('TIME')[1]
local count = redis.call('HINCRBY', KEYS[1], second, 1)
if count == 1 then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], second, 1)
  redis.call('PEXPIRE', KEYS[1], 2000)
end
return count
