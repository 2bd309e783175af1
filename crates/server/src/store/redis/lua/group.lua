-- {number, type, name, version, members}, or nil. KEYS: group, members.
local group = redis.call('HMGET', KEYS[1], 'no', 'type', 'name', 'version')
if not group[1] then return nil end
group[5] = redis.call('SMEMBERS', KEYS[2])
return group
