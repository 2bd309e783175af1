-- Adds members or removes them: of each 1 when that changed something; nil without the group. KEYS: group, members.
-- ARGV: SADD or SREM, users…
if redis.call('EXISTS', KEYS[1]) == 0 then return nil end
local outcomes = {}
for i = 2, #ARGV do outcomes[i - 1] = redis.call(ARGV[1], KEYS[2], ARGV[i]) end
redis.call('HINCRBY', KEYS[1], 'version', 1)
return outcomes
