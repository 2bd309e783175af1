-- One command on one key. KEYS: it. ARGV: the command's name, what follows the key….
return redis.call(ARGV[1], KEYS[1], unpack(ARGV, 2))
