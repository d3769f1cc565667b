-- Takes a session out: its ticket, or its lease as long as no server has reported it.
-- ARGV[2] session
leave(ARGV[2])
return answer(1)
