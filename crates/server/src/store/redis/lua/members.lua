-- Adds members or removes them: of each 1 when that changed something; nil without the group. KEYS: group, members.
-- ARGV: SADD or SREM, a version that the group never had, users…
if redis.call('EXISTS', KEYS[1]) == 0 then return nil end
local outcomes = {}
for i = 3, #ARGV do outcomes[i - 2] = redis.call(ARGV[1], KEYS[2], ARGV[i]) end
redis.call('HSET', KEYS[1], 'version', ARGV[2])
return outcomes
