-- Renews a replica, and claims the leases that were matched for it.
-- ARGV[2] replica  [3] the epoch of its last renewal, or empty
-- Returns {epoch, 1 if warming up, number of the replica's sessions, {leases...}, {sessions to end...},
--   {operator-drained streamers...}}
expire()
local replica, last_epoch = ARGV[2], ARGV[3]
local e = call('HMGET', P .. 'epoch', 'id', 'since', 'until')
if last_epoch ~= '' and last_epoch ~= e[1] and tonumber(e[3]) < tonumber(e[2]) + ARRIVAL then
  -- The replica has an epoch from before a store reset: leases of that time must expire before new ones are given.
  local warm_until = tonumber(e[2]) + ARRIVAL
  if warm_until > now then
    call('HSET', P .. 'epoch', 'until', int(warm_until))
    call('ZADD', DUE, int(warm_until), 'e:')
    warming_up = true
  end
end
renew_replica(replica)
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
wake_counts[replica] = nil
local ends = call('SMEMBERS', P .. 'end:' .. replica)
if #ends > 0 then call('DEL', P .. 'end:' .. replica) end
return answer({ e[1], warming_up and 1 or 0, call('SCARD', P .. 'rt:' .. replica), leases, ends,
  call('SMEMBERS', P .. 'back') })
