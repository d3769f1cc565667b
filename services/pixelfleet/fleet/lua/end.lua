-- Has whoever holds a session end it. ARGV[2] session
-- Returns 1, or 0 when it is not known
local t = call('HMGET', P .. 't:' .. ARGV[2], 'st', 'k', 'rp')
if not t[1] then return answer(0) end
local s = t[2] ~= '' and call('HMGET', P .. 's:' .. t[2], 'srv', 'stk') or {}
if t[1] == 'H' and s[1] and s[2] ~= '1' then
  call('SADD', P .. 'end:' .. s[1], ARGV[2])
else
  call('SADD', P .. 'end:' .. t[3], ARGV[2])
  woken[t[3]] = true
end
return answer(1)
