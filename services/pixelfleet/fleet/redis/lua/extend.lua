-- Requests that a session may last longer, from the server that holds it.
-- ARGV[2] session  [3] a server that reports the session, or empty: for a session without a ticket  [4] seconds
-- Returns 1, or 0 for a session that no server holds
expire()
local t = call('HMGET', P .. 't:' .. ARGV[2], 'st', 'k')
local server, legacy = ARGV[3], '0'
if t[1] == 'H' then
  server, legacy = look_up(t[2], 'srv', 'stk')
elseif t[1] then
  return answer(0)
end
if not server or server == '' or legacy == '1' or call('EXISTS', P .. 'v:' .. server) == 0 then return answer(0) end
-- With the time, because two requests for the same seconds count twice.
call('SADD', P .. 'end:' .. server, 'extend:' .. ARGV[4] .. ':' .. now_text .. ':' .. ARGV[2])
call('HSET', P .. 'v:' .. server, 'end', '1')
return answer(1)
