-- What is kept of messages: {what, MsgSeq} of each, both false when it is gone. KEYS: messages.
local found = {}
for i, key in ipairs(KEYS) do found[i] = redis.call('HMGET', key, 'info', 'msgseq') end
return found
