-- Forgets a message's webhooks up to a Seq: how many there were. KEYS: webhooks of the message, messages with webhooks,
-- webhooks by time. ARGV: number, Seq.
local gone = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[2], 'BYSCORE')
for _, webhook in ipairs(gone) do
  redis.call('ZREM', KEYS[3], ARGV[1] .. ' ' .. string.match(webhook, '^%d+'))
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[2])
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('ZREM', KEYS[2], ARGV[1]) end
return #gone
