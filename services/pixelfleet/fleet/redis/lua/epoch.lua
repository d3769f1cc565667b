-- Records the server process that runs this store; the first call on each connection. ARGV[2] its run id
-- A different process may lack data that the last one confirmed, so a new epoch begins, which recovers from the last
-- one. So does the first connection after a flush: the process that was flushed is not known, and another one may have
-- taken its place. This call expires nothing, because the data may be old.
local known = call('HMGET', P .. 'epoch', 'id', 'run')
if not known[1] then
  begin_epoch(ARGV[2], 0)
elseif known[2] ~= ARGV[2] then
  begin_epoch(ARGV[2], ARRIVAL)
  withhold_legacy_streamers()
end
return answer(1)
