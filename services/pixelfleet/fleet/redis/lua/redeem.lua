-- Redeems a name that may be used once. ARGV[2] name  [3] unix time until which it is stored, in microseconds
-- Returns 1, or 0 when it is redeemed already
local ms = math.floor((tonumber(ARGV[3]) - now) / 1000)
return call('SET', P .. 'once:' .. ARGV[2], '1', 'NX', 'PX', math.max(ms, 1)) and 1 or 0
