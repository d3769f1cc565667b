-- Has whoever holds a session end it. ARGV[2] session
-- Returns 1, or 0 when it is not known
expire()
local t = call('HMGET', P .. 't:' .. ARGV[2], 'st', 'k', 'rp')
if not t[1] then return answer(0) end
local server = t[1] == 'H' and look_up(t[2], 'srv')
if server then
  call('SADD', P .. 'end:' .. server, ARGV[2])
  call('HSET', P .. 'v:' .. server, 'end', '1')
elseif t[3] == '' then
  leave(ARGV[2])  -- of a page that is on its way nobody else knows
else
  call('SADD', P .. 'end:' .. t[3], ARGV[2])
  woken[t[3]] = (woken[t[3]] or 0) + 1
end
return answer(1)
