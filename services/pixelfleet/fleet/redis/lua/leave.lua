-- Takes sessions out: their tickets, or their leases as long as no server has reported them.
-- ARGV[2] the replica whose they must still be, or empty  [3...] sessions
expire()
for i = 3, #ARGV do leave(ARGV[i], ARGV[2] ~= '' and ARGV[2]) end
return answer(1)
