"""What runs inside Redis for the budget: each script is one atomic step on Redis' own clock.

All of a provider's state is one hash (KEYS[1]); what it was given in the last day is a second one (KEYS[2]: hour since
the epoch -> messages). A bucket is a GCRA: a token bucket that stores one moment, the one at which it will be full,
instead of a level. Moments are microseconds since the epoch. ARGV[1] is a JSON object, called `ask`.
"""

from functools import cache

from redis.commands.core import Script

from notifications.runtime.redis_client import budget_key, client

_STATE = """
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
-- What throttling has left of the rate; it comes back with time.
local function factor()
  -- Another server's clock, after a fail-over, may be behind the one that wrote the moment.
  return math.min(1, (state.factor or 1) + math.max(0, now - (state.factor_at or now)) * ask.recovery_per_us)
end
local function account(name)
  return (state.quota_until or 0) > now and state[name] or nil
end
local hour = math.floor(now / 3600000000)
-- The running hour and the 24 before it: never less than what any 24 hours hold.
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
  -- A count that was rebuilt in between may not hold what is given back.
  if messages < 0 then messages = -math.min(-messages, tonumber(redis.call('HGET', KEYS[2], name) or '0')) end
  redis.call('HINCRBY', KEYS[2], name, string.format('%.0f', messages))
  redis.call('PEXPIRE', KEYS[2], 90000000)
end
"""

_BUCKETS = """
local rate = math.min(ask.rate, account('quota_rate') or ask.rate) * factor()
local function bucket(name, depth, per_second)
  local interval = 1000000 / per_second
  local full, latest = math.max(state[name] or 0, now), now + depth * interval
  if full > latest + 1 then
    -- Emptier than empty: the moment is from another server's clock.
    full = latest
    change(name, full)
  end
  return {name = name, depth = depth, interval = interval, full = full}
end
-- How many tokens a bucket has above the level at which it is `depth` down.
local function room(of, depth)
  return math.floor((now - of.full) / of.interval + (depth or of.depth) + 0.000001)
end
-- When it has one.
local function opens(of, depth)
  return of.full - ((depth or of.depth) - 1) * of.interval
end
local function charge(of, tokens)
  of.full = of.full + tokens * of.interval
  change(of.name, of.full)
end
local function floor_depth(share)
  return share > 0 and 1 + share * rate * ask.floor_s or 0
end
local depth = ask.deepest + rate * ask.deepest_s
for _, share in ipairs(ask.floors) do depth = depth + floor_depth(share) end
local all = bucket('all', depth, rate)
local ceiling
if ask.ceiling then
  ceiling = bucket('ceiling:' .. ask.stream, 1 + ask.ceiling * ask.ceiling_s, ask.ceiling)
end
"""

# Returns the number granted (-1: Redis was wiped and nothing was done), the wait of the first and of the last refused
# message (microseconds), the moment, the rate as it is now (messages per 1,000 s), and what is left of the day.
_RESERVE = """
if redis.call('EXISTS', KEYS[2]) == 0 then return {-1, 0, 0, now, 0, 0} end
if ask.owed > 0 then count_day(hour, ask.owed) end
local limit = math.min(ask.daily or math.huge, account('quota_day') or math.huge)
local left = math.huge
if limit < math.huge then left = math.floor(limit * ask.day_share) - own_day() - (account('others') or 0) end
local pause = math.min(state.pause or 0, now + ask.longest_pause_us)
local paused = pause > now
local open = paused and 0 or math.min(ask.wanted, left, ceiling and room(ceiling) or math.huge)
local borrow = ask.borrow + rate * ask.borrow_s
local borrowed = math.max(0, math.min(open, room(all, borrow)))
local floor, own = nil, 0
if ask.floor > 0 then
  floor = bucket('floor:' .. ask.stream, floor_depth(ask.floor), ask.floor * rate)
  own = math.max(0, math.min(open - borrowed, room(floor), room(all) - borrowed))
end
local granted = borrowed + own
if granted > 0 then
  charge(all, granted)
  if ceiling then charge(ceiling, granted) end
  if own > 0 then charge(floor, own) end
  count_day(hour, granted)
end
local refused = ask.wanted - granted
local still_left = math.max(0, math.min(left - granted, 1000000000))
if refused == 0 then
  -- A pause or a spent day is over.
  if tonumber(redis.call('GET', KEYS[3]) or '1') == 0 then redis.call('DEL', KEYS[3]) end
  keep()
  return {granted, 0, 0, now, rate * 1000, still_left}
end
local first = opens(all, borrow)
if floor then first = math.min(first, math.max(opens(floor), opens(all))) end
first = math.max(first, now, pause, ceiling and opens(ceiling) or 0)
local spent = left - granted < 1
if spent then first = math.max(first, now + ask.day_wait_us) end
local step = math.max(all.interval, ceiling and ceiling.interval or 0)
-- Nobody is sent further away than this; he will ask again then.
local latest = first + ask.longest_wait_us
first = math.min(math.max(first, state['refused:' .. ask.stream] or 0), latest)
local last = math.min(first + (refused - 1) * step, latest)
change('refused:' .. ask.stream, last + step)
keep()
local pace = (paused or spent) and 0 or 1000000 / step
local paced_ms = math.min(math.max((last - now) / 1000, 1000), 30000)
redis.call('SET', KEYS[3], string.format('%.3f', pace), 'PX', string.format('%.0f', paced_ms))
return {granted, first - now, last - now, now, rate * 1000, still_left}
"""

# What nobody uses is as if it had never been granted, less what would have flowed over by now.
_GIVE_BACK = """
local function refund(of)
  local back = math.max(0, ask.count * of.interval - (now - ask.granted_at))
  change(of.name, math.max(of.full - back, now))
end
refund(all)
if ceiling then refund(ceiling) end
if redis.call('EXISTS', KEYS[2]) == 1 then count_day(math.floor(ask.granted_at / 3600000000), -ask.count) end
keep()
"""

# A provider does not count what it refused.
_UNCOUNT = """
if redis.call('EXISTS', KEYS[2]) == 1 then count_day(math.floor(ask.granted_at / 3600000000), -1) end
"""

# However many workers are told at the same time: one step down in a second. Returns 1 for that step.
_THROTTLED = """
local lowered = 0
if now - (state.factor_at or 0) >= ask.once_per_us then
  change('factor', math.max(ask.least_factor, factor() * ask.step))
  change('factor_at', now)
  lowered = 1
end
if ask.pause_us > 0 then change('pause', math.max(state.pause or 0, now + ask.pause_us)) end
keep()
return lowered
"""

# Returns 0, and does nothing, where the account's count has no own count to be compared with.
_ACCOUNT = """
if ask.sent_today > 0 and redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
redis.call('HDEL', KEYS[1], 'quota_rate', 'quota_day')
if ask.rate then change('quota_rate', ask.rate) end
if ask.daily then change('quota_day', ask.daily) end
change('others', math.max(0, ask.sent_today - own_day()))
change('quota_until', now + ask.good_for_us)
keep()
return 1
"""

# Whoever comes second with a day's count changes nothing: grants are being counted on the first one's.
_REBUILD = """
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
count_day(hour, ask.on_the_way)
for at_hour, messages in pairs(ask.hours) do count_day(tonumber(at_hour), messages) end
return 1
"""

RESERVE = _STATE + _BUCKETS + _RESERVE
GIVE_BACK = _STATE + _BUCKETS + _GIVE_BACK
UNCOUNT = _STATE + _UNCOUNT
THROTTLED = _STATE + _THROTTLED
ACCOUNT = _STATE + _ACCOUNT
REBUILD = _STATE + _REBUILD


@cache
def script(text: str) -> Script:
    """Return a script bound to the process's client; it is sent once and called by its hash afterwards."""
    return client().register_script(text)


def state_key(provider: str) -> str:
    return budget_key(provider)


def day_key(provider: str) -> str:
    return f"mailroom:day:{provider}"
