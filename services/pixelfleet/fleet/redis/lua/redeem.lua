-- Uses something up that may be used once. ARGV[2] its name  [3] until when that is remembered, in microseconds
-- Returns 1, or 0 when it was used before
local ms = math.floor((tonumber(ARGV[3]) - now) / 1000)
return call('SET', P .. 'once:' .. ARGV[2], '1', 'NX', 'PX', math.max(ms, 1)) and 1 or 0
