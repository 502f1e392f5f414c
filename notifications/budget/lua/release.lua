-- Returns unused messages to the buckets as though they had never been granted, less what would have overflowed by now.
local function refund(of)
  local back = math.max(0, ask.count * of.interval - (now - ask.granted_at))
  change(of.name, math.max(of.full - back, now))
end
refund(all)
if ceiling then refund(ceiling) end
if redis.call('EXISTS', KEYS[2]) == 1 then count_day(math.floor(ask.granted_at / 3600000000), -ask.count) end
keep()
