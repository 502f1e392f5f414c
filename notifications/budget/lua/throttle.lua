-- Lowers the rate by one step, at most once per second, however many workers are throttled. Returns 1 for that step.
local lowered = 0
if now - (state.factor_at or 0) >= ask.once_per_us then
  change('factor', math.max(ask.least_factor, factor() * ask.step))
  change('factor_at', now)
  lowered = 1
end
if ask.pause_us > 0 then change('pause', math.max(state.pause or 0, now + ask.pause_us)) end
keep()
return lowered
