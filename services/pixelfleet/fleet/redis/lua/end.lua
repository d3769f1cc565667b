-- Requests the end of a session from the server or replica that holds it.
-- ARGV[2] session  [3] a server that reports the session, or empty: for a session without a ticket
-- ARGV[4] the time for which its player's person is refused, in milliseconds; 0 for none
-- ARGV[5] the operator's name for its record, or empty
-- Returns 1, or 0 for an unknown session
expire()
local t = call('HMGET', P .. 't:' .. ARGV[2], 'st', 'k', 'rp', 'tk')

-- A server that does not hold the session refuses its token from then on.
local function end_at_server(server)
  call('SADD', P .. 'end:' .. server, ARGV[2])
  call('HSET', P .. 'v:' .. server, 'end', '1')
end

if not t[1] then
  if ARGV[3] == '' or call('EXISTS', P .. 'v:' .. ARGV[3]) == 0 then return answer(0) end
  end_at_server(ARGV[3])
  return answer(1)
end
if kept_records and ARGV[5] ~= '' then call('HSET', P .. 't:' .. ARGV[2], 'by', ARGV[5]) end
-- The last field of the ticket; a label of this name is followed by two braces.
local person = ARGV[4] ~= '0' and t[4] and t[4]:match('"person":"(%x+)"}$')
if person then call('SET', P .. 'kicked:' .. person, '1', 'NX', 'PX', ARGV[4]) end
local server, legacy
if t[1] == 'H' or t[1] == 'C' then server, legacy = look_up(t[2], 'srv', 'stk') end
if server and legacy ~= '1' then end_at_server(server) end
if t[3] == '' then
  drop_session(ARGV[2])  -- a reservation has no replica
elseif t[1] ~= 'H' or not server then
  call('SADD', P .. 'end:' .. t[3], ARGV[2])
  wake_counts[t[3]] = (wake_counts[t[3]] or 0) + 1
end
return answer(1)
