-- Numbers of a group's messages, newest first. KEYS: list. ARGV: up to this MsgSeq, at most.
return redis.call('ZRANGE', KEYS[1], ARGV[1], '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, ARGV[2])
