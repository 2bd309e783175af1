-- Keeps a group's message, or finds the one that it repeats: {its number, its MsgSeq if it is new}; nil without
-- the group. KEYS: group, by MessageID, list, message, changed. ARGV: number, what is kept of it, the group's number, the MsgSeq that it has or 0, now.
if redis.call('HGET', KEYS[1], 'no') ~= ARGV[3] then return nil end
local seq = ARGV[4]
local there = redis.call('GET', KEYS[2]) or (seq ~= '0' and redis.call('ZRANGE', KEYS[3], seq, seq, 'BYSCORE')[1])
if there then return {there, there == ARGV[1] and redis.call('HGET', KEYS[4], 'msgseq')} end
if seq == '0' then
  seq = redis.call('HINCRBY', KEYS[1], 'last', 1)
elseif tonumber(seq) > tonumber(redis.call('HGET', KEYS[1], 'last')) then
  redis.call('HSET', KEYS[1], 'last', seq)
end
redis.call('SET', KEYS[2], ARGV[1])
redis.call('ZADD', KEYS[3], seq, ARGV[1])
redis.call('HSET', KEYS[4], 'info', ARGV[2], 'msgseq', seq, 'seq', 0, 'clear', 0, 'time', ARGV[5], 'commit', 0)
redis.call('ZADD', KEYS[5], ARGV[5], ARGV[1])
return {ARGV[1], seq}
