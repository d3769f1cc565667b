-- Takes sessions out: their tickets, or their leases as long as no server has reported them.
-- ARGV[2] the replica whose they must still be, or empty  [3...] sessions
expire()
for i = 3, #ARGV do
  if ARGV[2] == '' or call('HGET', P .. 't:' .. ARGV[i], 'rp') == ARGV[2] then leave(ARGV[i]) end
end
return answer(1)
