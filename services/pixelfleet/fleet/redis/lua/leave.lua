-- Removes sessions: their tickets, and their leases that no server has reported.
-- ARGV[2] the replica that must own them, or empty for any  [3] 1 if their players may return to their places
-- ARGV[4...] sessions, each with a colon and the close code of its player's connection behind it, if that is known
expire()
for i = 4, #ARGV do
  local session, code = ARGV[i]:match('^([^:]*):?(%d*)$')
  drop_session(session, ARGV[2] ~= '' and ARGV[2], ARGV[3] == '1', code)
end
return answer(1)
