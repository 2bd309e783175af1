-- A node lives: the names of all that do. KEYS: nodes. ARGV: its name, milliseconds after which a silent one is dead.
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('ZADD', KEYS[1], ms, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ms - ARGV[2])
return redis.call('ZRANGE', KEYS[1], 0, -1)
