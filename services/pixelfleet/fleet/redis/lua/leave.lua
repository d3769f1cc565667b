-- Removes sessions: their tickets, and their leases that no server has reported.
-- ARGV[2] the replica that must own them, or empty for any  [3...] sessions
expire()
for i = 3, #ARGV do drop_session(ARGV[i], ARGV[2] ~= '' and ARGV[2]) end
return answer(1)
