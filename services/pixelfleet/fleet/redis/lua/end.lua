-- Requests the end of a session from the server or replica that holds it. ARGV[2] session
-- Returns 1, or 0 for an unknown session
expire()
local t = call('HMGET', P .. 't:' .. ARGV[2], 'st', 'k', 'rp')
if not t[1] then return answer(0) end
local server = t[1] == 'H' and look_up(t[2], 'srv')
if server then
  call('SADD', P .. 'end:' .. server, ARGV[2])
  call('HSET', P .. 'v:' .. server, 'end', '1')
elseif t[3] == '' then
  drop_session(ARGV[2])  -- a reservation has no replica
else
  call('SADD', P .. 'end:' .. t[3], ARGV[2])
  wake_counts[t[3]] = (wake_counts[t[3]] or 0) + 1
end
return answer(1)
