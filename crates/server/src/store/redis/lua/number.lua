-- The next number of a bucket. KEYS: its counter.
return redis.call('INCR', KEYS[1])
