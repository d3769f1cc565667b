-- Says on which server process this store was found. ARGV[2] its run id
-- Another process than before may not have everything that the last one answered for: a new epoch begins.
local known = call('HGET', P .. 'epoch', 'run')
if known == '' then
  call('HSET', P .. 'epoch', 'run', ARGV[2])
elseif known ~= ARGV[2] then
  begin_epoch(ARGV[2], ARRIVAL)
end
return answer(1)
