-- Keeps a one-to-one message, or finds the one that it repeats: {its number}. KEYS: by MessageID, by MsgKey, list, message,
-- changed. ARGV: number, what is kept of it, its time for the list, now.
local there = redis.call('GET', KEYS[1]) or redis.call('GET', KEYS[2])
if there then return {there, false} end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
redis.call('HSET', KEYS[4], 'info', ARGV[2], 'seq', 0, 'clear', 0, 'time', ARGV[4], 'commit', 0)
redis.call('ZADD', KEYS[5], ARGV[4], ARGV[1])
return {ARGV[1], false}
