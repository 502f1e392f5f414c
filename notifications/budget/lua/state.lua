-- The state of a provider, and the functions that every script shares.
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local ask = cjson.decode(ARGV[1])
local state, changes = {}, {}
local flat = redis.call('HGETALL', KEYS[1])
for i = 1, #flat, 2 do state[flat[i]] = tonumber(flat[i + 1]) end
local function change(name, number)
  changes[#changes + 1] = name
  changes[#changes + 1] = string.format('%.17g', number)
end
local function keep()
  if #changes == 0 then return end
  redis.call('HSET', KEYS[1], unpack(changes))
  redis.call('PEXPIRE', KEYS[1], 172800000)
end
-- The factor by which throttling lowers the rate; it recovers with time.
local function factor()
  -- After a fail-over, the clock may be behind the one that wrote the time.
  return math.min(1, (state.factor or 1) + math.max(0, now - (state.factor_at or now)) * ask.recovery_per_us)
end
local function account(name)
  return (state.quota_until or 0) > now and state[name] or nil
end
local hour = math.floor(now / 3600000000)
-- The current hour and the 24 before it: never less than any 24 hours.
local function own_day()
  local sum = 0
  local hours = redis.call('HGETALL', KEYS[2])
  for i = 1, #hours, 2 do
    if tonumber(hours[i]) >= hour - 24 then sum = sum + tonumber(hours[i + 1])
    else redis.call('HDEL', KEYS[2], hours[i]) end
  end
  return sum
end
local function count_day(at_hour, messages)
  local name = string.format('%.0f', at_hour)
  -- A count that was rebuilt in between may lack what is released.
  if messages < 0 then messages = -math.min(-messages, tonumber(redis.call('HGET', KEYS[2], name) or '0')) end
  redis.call('HINCRBY', KEYS[2], name, string.format('%.0f', messages))
  redis.call('PEXPIRE', KEYS[2], 90000000)
end
