-- Returns a claimed lease; its ticket gets another streamer at once, or its old place in the queue.
-- ARGV[2] session  [3] 1 if the streamer could not be reached
-- Returns a lease, a place, or false when neither is known any more
local session = ARGV[2]
local t = call('HMGET', P .. 't:' .. session, 'st', 'k', 'sh', 'av', 'app', 'rp')
if not t[1] or t[1] == 'H' then return answer(false) end
if t[1] == 'W' then return answer(placed(session)) end
local key = t[2]
local S = P .. 's:' .. key

-- Twice as long for each failure in a row; a streamer that two replicas, or all there are, failed to reach is left
-- alone by all. What was noted lapses when nothing fails for as long as the longest time.
local function note_failure()
  local failed = P .. 'failed:' .. key
  call('SADD', failed, t[6])
  call('PEXPIRE', failed, LONGEST_ASIDE / 1000)
  local fails = math.min(call('HINCRBY', S, 'fails', 1), 16)
  local till = now + math.min(FIRST_ASIDE * 2 ^ (fails - 1), LONGEST_ASIDE)
  local kept = {}
  for entry in t[4]:gmatch('[^' .. RS .. ']+') do kept[#kept + 1] = entry end
  kept[#kept + 1] = int(till) .. US .. key
  while #kept > MAX_AVOIDED do table.remove(kept, 1) end
  call('HSET', P .. 't:' .. session, 'av', table.concat(kept, RS))
  local replicas = 0
  for _, each in ipairs(call('ZRANGE', DUE, 0, -1)) do
    if each:sub(1, 2) == 'r:' then replicas = replicas + 1 end
    if replicas == 2 then break end
  end
  if call('SCARD', failed) >= math.min(2, math.max(replicas, 1)) then
    call('HSET', S, 'asd', till)
    call('ZADD', DUE, till, 'a:' .. key)
  end
end

if ARGV[3] == '1' and call('EXISTS', S) == 1 then note_failure() end
back(session, key, t[3] == '1')
serve(key)
if not young and call('HGET', P .. 't:' .. session, 'st') == 'W' then place(session, 'C') end
if call('HGET', P .. 't:' .. session, 'st') == 'M' then
  call('LREM', P .. 'new:' .. t[6], 0, session)
  woken[t[6]] = nil
  claim(session)
end
return answer(placed(session))
