-- Takes one refused message off the day: a provider does not count what it refuses.
if redis.call('EXISTS', KEYS[2]) == 1 then count_day(math.floor(ask.granted_at / 3600000000), -1) end
