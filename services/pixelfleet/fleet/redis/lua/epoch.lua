-- Says on which server process this store was found, before anything else is asked of it. ARGV[2] its run id
-- Another process than before may not have everything that the last one answered for: a new epoch begins. Nothing
-- lapses in this call, so that nothing is done on the word of what may be old.
local known = call('HMGET', P .. 'epoch', 'id', 'run')
if not known[1] then
  begin_epoch(ARGV[2], WARM_UP)
elseif known[2] == '' then
  call('HSET', P .. 'epoch', 'run', ARGV[2])
elseif known[2] ~= ARGV[2] then
  begin_epoch(ARGV[2], ARRIVAL)
end
return answer(1)
