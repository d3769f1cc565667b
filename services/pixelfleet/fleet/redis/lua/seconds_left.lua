-- Returns for how many microseconds a session may go on by its limits that have seconds; at least 0.
-- ARGV[2...] its limits, each a name, sessions, seconds
local left
for i = 2, #ARGV, 3 do
  local _, used = use_of(ARGV[i])
  if ARGV[i + 2] ~= '0' then left = math.min(left or math.huge, math.max(0, ARGV[i + 2] * 1000000 - used)) end
end
return int(left)
