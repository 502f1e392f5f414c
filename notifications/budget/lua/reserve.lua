-- Grants messages. Returns the number granted (-1: Redis was wiped and nothing was done), the waits of the first and of
-- the last refused message (us), the time, the rate now (messages per 1,000 s), and what is left of the daily limit.
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
  -- A pause or a used-up daily limit is over.
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
-- No message waits longer than this; then it asks again.
local latest = first + ask.longest_wait_us
first = math.min(math.max(first, state['refused:' .. ask.stream] or 0), latest)
local last = math.min(first + (refused - 1) * step, latest)
change('refused:' .. ask.stream, last + step)
keep()
local pace = (paused or spent) and 0 or 1000000 / step
local paced_ms = math.min(math.max((last - now) / 1000, 1000), 30000)
redis.call('SET', KEYS[3], string.format('%.3f', pace), 'PX', string.format('%.0f', paced_ms))
return {granted, first - now, last - now, now, rate * 1000, still_left}
