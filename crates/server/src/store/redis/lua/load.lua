-- {LatestSeq, ClearSeq, last commit, entries, names of answers}, or nil. KEYS: message, entries, answers' names.
local head = redis.call('HMGET', KEYS[1], 'seq', 'clear', 'commit')
if not head[1] then return nil end
head[4] = redis.call('HGETALL', KEYS[2])
head[5] = redis.call('HGETALL', KEYS[3])
return head
