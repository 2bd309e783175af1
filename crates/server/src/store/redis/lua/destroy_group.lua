-- Removes a group, not yet its messages: {number, members}, or nil. KEYS: group, members.
local no = redis.call('HGET', KEYS[1], 'no')
if not no then return nil end
local members = redis.call('SMEMBERS', KEYS[2])
redis.call('DEL', KEYS[1], KEYS[2])
return {no, members}
