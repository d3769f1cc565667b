-- Renews the last report of a server that reports itself, in place of a report with the same streamers.
-- ARGV[2] server  [3] sequence  [4] digest of its last report
-- Returns 1, or 0 if the server must send the whole report: the store has another report or none of this server, or
--   sessions for it to end
if call('ZRANGEBYSCORE', DUE, '-inf', now_text, 'LIMIT', 0, 1)[1] then
  expire()
  answer()
end
local server = ARGV[2]
local V = P .. 'v:' .. server
local v = call('HMGET', V, 'digest', 'owner', 'fence', 'seq')
if v[1] ~= ARGV[4] or v[2] ~= '' or v[3] ~= '0' or ARGV[3] - v[4] <= 0 then return 0 end
if call('EXISTS', P .. 'end:' .. server) == 1 then return 0 end
call('HSET', V, 'seq', ARGV[3])
call('ZADD', DUE, int(now + EXPIRY), 'v:' .. server)
return 1
