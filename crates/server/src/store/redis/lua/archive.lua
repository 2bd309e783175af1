-- Everything of a message: {what is kept, MsgSeq, {LatestSeq, ClearSeq, last commit, entries, answers' names}, answers, {type,
-- name, members}}, or nil. KEYS: message, entries, answers' names, answers, of a group's group and members. ARGV: the
-- group's number.
local head = redis.call('HMGET', KEYS[1], 'info', 'msgseq', 'seq', 'clear', 'commit')
if not head[1] then return nil end
local group = false
if KEYS[5] then
  local found = redis.call('HMGET', KEYS[5], 'type', 'name', 'no')
  if found[3] ~= ARGV[1] then return nil end
  group = {found[1], found[2], redis.call('SMEMBERS', KEYS[6])}
end
local state = {head[3], head[4], head[5], redis.call('HGETALL', KEYS[2]), redis.call('HGETALL', KEYS[3])}
return {head[1], head[2], state, redis.call('HGETALL', KEYS[4]), group}
