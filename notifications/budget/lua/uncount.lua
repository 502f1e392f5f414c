-- Takes refused messages off the daily count: providers do not count what they refuse.
if redis.call('EXISTS', KEYS[2]) == 1 then count_day(math.floor(ask.granted_at / 3600000000), -ask.count) end
