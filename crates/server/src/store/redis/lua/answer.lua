-- The answer that is remembered under a request's id, or nil. KEYS: answers' names, answers. ARGV: the id, places to look at….
for i = 2, #ARGV do
  local name = redis.call('HGET', KEYS[1], ARGV[i])
  if name and string.sub(name, -32) == ARGV[1] then return redis.call('HGET', KEYS[2], ARGV[i]) end
end
return nil
