-- The buckets of a provider and of one stream. Runs after state.lua.
local rate = math.min(ask.rate, account('quota_rate') or ask.rate) * factor()
local function bucket(name, depth, per_second)
  local interval = 1000000 / per_second
  local full, latest = math.max(state[name] or 0, now), now + depth * interval
  if full > latest + 1 then
    -- Below empty: another server's clock wrote the time.
    full = latest
    change(name, full)
  end
  return {name = name, depth = depth, interval = interval, full = full}
end
-- The tokens of a bucket above the level that is `depth` below full.
local function room(of, depth)
  return math.floor((now - of.full) / of.interval + (depth or of.depth) + 0.000001)
end
-- When a bucket has one such token.
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
