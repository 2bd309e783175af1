-- Counts write attempts: of each 0 if it may be, 1 if the message has had its attempts, 2 if the user has had theirs; those
-- are not counted. nil, and nothing is counted, if the group's number or version is another. KEYS: recent attempts, oldest first, the
-- group if it is to be compared. ARGV: how long one counts in milliseconds, how many of all and of a user (0: any), the group's number
-- and version, then of each attempt the user, and 1 for an admin.
if KEYS[2] then
  local group = redis.call('HMGET', KEYS[2], 'no', 'version')
  if group[1] ~= ARGV[4] or group[2] ~= ARGV[5] then return nil end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window, most, own_most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local first = redis.call('LINDEX', KEYS[1], 0)
while first and tonumber(string.match(first, '^%d+')) + window <= now do
  redis.call('LPOP', KEYS[1])
  first = redis.call('LINDEX', KEYS[1], 0)
end
local recent = redis.call('LRANGE', KEYS[1], 0, -1)
local total, own = #recent, {}
for _, attempt in ipairs(recent) do
  local user = string.match(attempt, '^%d+ (.*)$')
  own[user] = (own[user] or 0) + 1
end
local outcomes = {}
for i = 6, #ARGV, 2 do
  local user, outcome = ARGV[i], 0
  if most > 0 and total >= most then
    outcome = 1
  elseif ARGV[i + 1] ~= '1' and own_most > 0 and (own[user] or 0) >= own_most then
    outcome = 2
  else
    total = total + 1
    own[user] = (own[user] or 0) + 1
    redis.call('RPUSH', KEYS[1], now .. ' ' .. user)
  end
  outcomes[#outcomes + 1] = outcome
end
redis.call('PEXPIRE', KEYS[1], window)
return outcomes
