-- A new group; 1 also when it was made by this very call before. KEYS: group, members. ARGV: number, type, name, members…
local no = redis.call('HGET', KEYS[1], 'no')
if no then return no == ARGV[1] and 1 or 0 end
redis.call('HSET', KEYS[1], 'no', ARGV[1], 'type', ARGV[2], 'name', ARGV[3], 'last', 0, 'version', 0)
if #ARGV > 3 then redis.call('SADD', KEYS[2], unpack(ARGV, 4)) end
return 1
