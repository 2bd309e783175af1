-- Keeps what a turn has decided: 1, also when this very commit was kept before, or 3 if it did and nobody listens to the group's channel;
-- 0 if something was committed since what it was decided on, 2 if the group's number or version is another; then nothing is kept. KEYS:
-- message, entries, answers' names, answers, changed, webhooks of the message, messages with webhooks, webhooks by time, log, in a group its
-- channel, then the group itself if it is to be compared. ARGV: number, the commit expected or '', the Seq expected, this commit, LatestSeq,
-- ClearSeq or '', time or '', what is logged or '', for how long, the group's number and version, digest, then four times how many follow and
-- those: entries (key, entry), answers' names (place, name), answers (place, answer), webhooks (Seq, time, body).
local head = redis.call('HMGET', KEYS[1], 'seq', 'commit', 'time')
if head[2] == ARGV[4] then return 1 end
if KEYS[11] then
  local group = redis.call('HMGET', KEYS[11], 'no', 'version')
  if group[1] ~= ARGV[10] or group[2] ~= ARGV[11] then return 2 end
end
if not head[1] then return 0 end
if head[1] ~= ARGV[3] or (ARGV[2] ~= '' and head[2] ~= ARGV[2]) then return 0 end
local time = head[3]
if ARGV[7] ~= '' and tonumber(ARGV[7]) > tonumber(time) then
  -- The order of changes is kept to the minute; whoever looks there for what is old looks at the time itself, too.
  if math.floor(ARGV[7] / 60000) > math.floor(time / 60000) then redis.call('ZADD', KEYS[5], ARGV[7], ARGV[1]) end
  time = ARGV[7]
end
redis.call('HSET', KEYS[1], 'seq', ARGV[5], 'commit', ARGV[4], 'time', time, 'digest', ARGV[12])
if ARGV[6] ~= '' then
  redis.call('HSET', KEYS[1], 'clear', ARGV[6])
  redis.call('UNLINK', KEYS[2])
end
if ARGV[8] ~= '' then
  redis.call('XADD', KEYS[9], 'MAXLEN', '~', 1000, '*', 'record', ARGV[8])
  -- Twice as long, so that it need not be said each time.
  if redis.call('PTTL', KEYS[9]) < tonumber(ARGV[9]) then redis.call('PEXPIRE', KEYS[9], 2 * ARGV[9]) end
end
local at = 13
local function each(step, keep)
  local last = at + ARGV[at] * step
  if last > at then keep(at + 1, last) end
  at = last + 1
end
local function into(key)
  -- No more at once than Lua can pass on.
  return function(first, last)
    for i = first, last, 1000 do redis.call('HSET', key, unpack(ARGV, i, math.min(i + 999, last))) end
  end
end
each(2, into(KEYS[2]))
each(2, into(KEYS[3]))
each(2, into(KEYS[4]))
each(3, function(first, last)
  for i = first, last, 3 do
    redis.call('ZADD', KEYS[6], ARGV[i], ARGV[i] .. ' ' .. ARGV[i + 1] .. ' ' .. ARGV[i + 2])
    redis.call('ZADD', KEYS[7], ARGV[1], ARGV[1])
    redis.call('ZADD', KEYS[8], ARGV[i + 1], ARGV[1] .. ' ' .. ARGV[i])
  end
end)
-- Who begins to listen later pulls what is here then.
if KEYS[10] and redis.call('PUBSUB', 'SHARDNUMSUB', KEYS[10])[2] == 0 then return 3 end
return 1
