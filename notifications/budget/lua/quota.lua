-- Applies the quota of the account. Returns 0 without effect while there is no daily count to compare it with.
if ask.sent_today > 0 and redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
redis.call('HDEL', KEYS[1], 'quota_rate', 'quota_day')
if ask.rate then change('quota_rate', ask.rate) end
if ask.daily then change('quota_day', ask.daily) end
change('others', math.max(0, ask.sent_today - own_day()))
change('quota_until', now + ask.valid_for_us)
keep()
return 1
