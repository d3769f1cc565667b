-- Makes a replica's sessions exactly what it says, in several calls.
-- ARGV[2] replica  [3] 1 for the first call  [4] 1 for the last, then for each session eleven:
--   session, app, selector, wants, 1 if it may look on, rank, arrival, the ticket, and of its lease, or empty:
--   streamer, 1 if it only looks on, 1 if the streamer is stock
local replica = ARGV[2]
local R, S = P .. 'rt:' .. replica, P .. 'said:' .. replica
if ARGV[3] == '1' then call('DEL', S) end
call('ZADD', DUE, now + EXPIRY, 'r:' .. replica)
for i = 5, #ARGV, 11 do
  local session, key = ARGV[i], ARGV[i + 8]
  local T = P .. 't:' .. session
  call('SADD', S, session)
  if call('EXISTS', T) == 0 then
    local app = ARGV[i + 1]
    call('HSET', T, 'rp', replica, 'app', app, 'sel', ARGV[i + 2], 'want', ARGV[i + 3], 'share', ARGV[i + 4],
      'lane', app .. US .. (ARGV[i + 3] ~= '' and '=' .. ARGV[i + 3] or ARGV[i + 2]), 'rank', ARGV[i + 5],
      'arr', ARGV[i + 6], 'tk', ARGV[i + 7], 'av', '')
    call('SADD', R, session)
    if ARGV[i + 2] ~= '' then call('ZADD', P .. 'sel:' .. app, now, ARGV[i + 2]) end
    if key == '' then
      enqueue(session)
    elseif (call('HGET', P .. 's:' .. key, 'ses') or ''):find('"' .. session .. '"', 1, true) then
      call('HSET', T, 'st', 'H', 'k', key, 'sh', ARGV[i + 9], 'since', now, 'dl', 0)
      call('SADD', P .. 'sh:' .. key, session)
      call('SREM', R, session)
    elseif call('EXISTS', P .. 's:' .. key) == 1 then
      assign(session, key, 'C', ARGV[i + 9] == '1')
    else
      -- Its server has not reported yet: the lease waits for it under the streamer's name.
      local deadline = ARGV[i + 10] == '1' and 0 or now + ARRIVAL
      call('HSET', T, 'st', 'C', 'k', key, 'sh', ARGV[i + 9], 'since', now, 'dl', deadline)
      if deadline > 0 then call('ZADD', DUE, deadline, 'l:' .. session) end
      call('SADD', P .. 'sl:' .. key, session)
    end
  end
end
if ARGV[4] == '1' then
  for _, session in ipairs(call('SDIFF', R, S)) do leave(session) end
  call('DEL', S)
end
return answer(1)
