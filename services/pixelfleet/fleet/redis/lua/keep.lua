-- Renews a replica, and claims the leases that were matched for it.
-- ARGV[2] replica  [3] the epoch of its last renewal, or empty
-- Returns {epoch, microseconds until matching begins or 0, number of the replica's sessions, {leases...},
--   {sessions to end...}, {operator-drained streamers...}}
expire()
local replica, last_epoch = ARGV[2], ARGV[3]
local e = call('HMGET', P .. 'epoch', 'id', 'since')
if last_epoch ~= '' and last_epoch ~= e[1] then
  -- The replica has an epoch from before a store reset. A signalling server refuses a player whose lease of that time
  -- is used by another one; a legacy server does not, so its lease must expire before a new one is given.
  local lapse = tonumber(e[2]) + ARRIVAL
  if lapse > now and lapse > recovers_until then
    recovers_until = lapse
    call('HSET', P .. 'epoch', 'recovered', int(lapse))
    withhold_legacy_streamers()
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
return answer({ e[1], warming_up and matching_from - now or 0, call('SCARD', P .. 'rt:' .. replica), leases, ends,
  call('SMEMBERS', P .. 'back') })
