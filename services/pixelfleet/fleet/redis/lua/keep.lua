-- Says that a replica is alive, and claims what was matched for it.
-- ARGV[2] replica  [3] the epoch that it knew last, or empty
-- Returns {epoch, 1 if young, sessions of the replica, {leases...}, {sessions to end...}, {streamers held back...}}
expire()
local replica, knew = ARGV[2], ARGV[3]
local e = call('HMGET', P .. 'epoch', 'id', 'since', 'until')
if knew ~= '' and knew ~= e[1] and tonumber(e[3]) < tonumber(e[2]) + ARRIVAL then
  -- Somebody was here before this store lost what it knew: promises made then must have lapsed before any new one.
  local hold = tonumber(e[2]) + ARRIVAL
  if hold > now then
    call('HSET', P .. 'epoch', 'until', int(hold))
    call('ZADD', DUE, int(hold), 'e:')
    young = true
  end
end
alive(replica)
catch_up()
local leases = {}
for _, session in ipairs(call('LRANGE', P .. 'new:' .. replica, 0, -1)) do
  local t = call('HMGET', P .. 't:' .. session, 'st', 'rp', 'k', 'sh', 'since', 'arr', 'rep')
  if t[1] == 'M' and t[2] == replica then
    local deadline = claim(session, t[3])
    leases[#leases + 1] = lease(session, replica, t[3], 'C', t[4], t[5], t[6], deadline, t[7])
  end
end
call('DEL', P .. 'new:' .. replica)
woken[replica] = nil
local ends = call('SMEMBERS', P .. 'end:' .. replica)
if #ends > 0 then call('DEL', P .. 'end:' .. replica) end
return answer({ e[1], young and 1 or 0, call('SCARD', P .. 'rt:' .. replica), leases, ends,
  call('SMEMBERS', P .. 'back') })
