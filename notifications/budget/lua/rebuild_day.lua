-- Sets the daily count, unless another process has done so: grants are already added to that one.
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
count_day(hour, ask.in_flight)
for at_hour, messages in pairs(ask.hours) do count_day(tonumber(at_hour), messages) end
return 1
