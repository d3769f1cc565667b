-- Removes sessions: their tickets, and their leases that no server has reported.
-- ARGV[2] the replica that must own them, or empty for any  [3] 1 if their players may return to their places
-- ARGV[4...] sessions
expire()
for i = 4, #ARGV do drop_session(ARGV[i], ARGV[2] ~= '' and ARGV[2], ARGV[3] == '1') end
return answer(1)
