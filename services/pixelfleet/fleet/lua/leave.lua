-- Takes a session out: its ticket, or its lease as long as no server has reported it.
-- ARGV[2] session  [3] the replica whose it must still be, or empty
expire()
if ARGV[3] == '' or call('HGET', P .. 't:' .. ARGV[2], 'rp') == ARGV[3] then leave(ARGV[2]) end
return answer(1)
