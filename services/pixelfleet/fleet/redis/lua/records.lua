-- Sets how many records of ended sessions are kept, and removes those that are too old.
-- ARGV[2] their number, 0 for none  [3] their longest age, in seconds
expire()
if ARGV[2] == '0' then
  call('HDEL', P .. 'epoch', 'rec')
  call('DEL', P .. 'records')
else
  call('HSET', P .. 'epoch', 'rec', ARGV[2])
  -- Their ids are times of the server's clock.
  local oldest = math.max(call('TIME')[1] - ARGV[3], 0)
  call('XTRIM', P .. 'records', 'MINID', int(oldest * 1000))
end
return answer(1)
