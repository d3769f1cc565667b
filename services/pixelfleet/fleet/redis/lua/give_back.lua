-- Returns a claimed lease; its ticket gets another streamer at once, or its old place in the queue.
-- ARGV[2] session  [3] 1 if the streamer could not be reached  [4] the streamer, or empty for whichever it is
-- Returns a lease, a place, or false when neither is known any more
expire()
local session = ARGV[2]
local t = call('HMGET', P .. 't:' .. session, 'st', 'k', 'sh', 'av', 'app', 'rp')
local key = t[2]
if not t[1] or t[1] == 'H' then return answer(false) end
if t[1] == 'W' or (ARGV[4] ~= '' and ARGV[4] ~= key) then return answer(placed(session)) end

local function noted(text, name, till)
  local kept = {}
  for _, note in ipairs(notes(text)) do
    if note[2] ~= name then kept[#kept + 1] = note[1] .. US .. note[2] end
  end
  kept[#kept + 1] = int(till) .. US .. name
  while #kept > MAX_EXCLUDED do table.remove(kept, 1) end
  return table.concat(kept, RS), #kept
end

-- Twice as long for each failure in a row; a streamer that two replicas, or all there are, failed to reach is left
-- alone by all. What was noted lapses when nothing fails for some time.
local function note_failure()
  local s = streamer(key)
  if not s then return end
  local fails = math.min((#notes(s.fby) > 0 and tonumber(s.fails) or 0) + 1, MAX_FAILURES)
  local till = now + math.min(FIRST_QUARANTINE * 2 ^ (fails - 1), LONGEST_QUARANTINE)
  local by, failed = noted(s.fby, t[6], now + FAILURE)
  s.fails = int(fails)
  s.fby = by
  call('HSET', P .. 't:' .. session, 'av', (noted(t[4], key, till)))
  if failed >= math.min(FAILED_REPLICAS, math.max(call('SCARD', P .. 'replicas'), 1)) then
    s.asd = int(till)
    call('ZADD', DUE, int(till), 'a:' .. key)
  end
end

if ARGV[3] == '1' then note_failure() end
back(session, key, t[3] == '1')
serve(key)
if not young then place(session, 'C') end
return answer(placed(session))
