-- Keeps what a turn has decided, if nothing was committed since what it was decided on: 1, also when this very commit was
-- kept before; else 0. KEYS: message, entries, answers' names, answers, changed, webhooks of the message, messages with
-- webhooks, webhooks by time, log. ARGV: number, the commit expected or '', the Seq expected, this commit, LatestSeq, ClearSeq or '',
-- time or '', what is logged or '', for how long, digest, then three times how many follow and those: entries (key, entry), answers
-- (place, name, answer), webhooks (Seq, time, body).
local head = redis.call('HMGET', KEYS[1], 'seq', 'commit', 'time')
if not head[1] then return 0 end
if head[2] == ARGV[4] then return 1 end
if head[1] ~= ARGV[3] or (ARGV[2] ~= '' and head[2] ~= ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'seq', ARGV[5], 'commit', ARGV[4], 'digest', ARGV[10])
if ARGV[6] ~= '' then
  redis.call('HSET', KEYS[1], 'clear', ARGV[6])
  redis.call('UNLINK', KEYS[2])
end
if ARGV[7] ~= '' and tonumber(ARGV[7]) > tonumber(head[3]) then
  redis.call('HSET', KEYS[1], 'time', ARGV[7])
  redis.call('ZADD', KEYS[5], ARGV[7], ARGV[1])
end
if ARGV[8] ~= '' then
  redis.call('XADD', KEYS[9], 'MAXLEN', '~', 1000, '*', 'record', ARGV[8])
  redis.call('PEXPIRE', KEYS[9], ARGV[9])
end
local at = 11
local function each(step, keep)
  local last = at + ARGV[at] * step
  for i = at + 1, last, step do keep(i) end
  at = last + 1
end
each(2, function(i) redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end)
each(3, function(i)
  redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1])
  redis.call('HSET', KEYS[4], ARGV[i], ARGV[i + 2])
end)
each(3, function(i)
  redis.call('ZADD', KEYS[6], ARGV[i], ARGV[i] .. ' ' .. ARGV[i + 1] .. ' ' .. ARGV[i + 2])
  redis.call('ZADD', KEYS[7], ARGV[1], ARGV[1])
  redis.call('ZADD', KEYS[8], ARGV[i + 1], ARGV[1] .. ' ' .. ARGV[i])
end)
return 1
