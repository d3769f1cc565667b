-- Returns a claimed lease; its ticket gets another streamer at once, or its old place in the queue.
-- ARGV[2] session  [3] 1 if the dial failed  [4] the streamer, or empty for any
-- Returns a lease, a place, or false for an unknown or held session
expire()
local session = ARGV[2]
local t = call('HMGET', P .. 't:' .. session, 'st', 'k', 'sh', 'av', 'app', 'rp')
local key = t[2]
if not t[1] or t[1] == 'H' then return answer(false) end
if t[1] == 'W' or (ARGV[4] ~= '' and ARGV[4] ~= key) then return answer(placed(session)) end

-- Adds a name to a list of unexpired entries, or renews it; the oldest entry is dropped when the list is full.
local function add_unexpired(text, name, expires_at)
  local entries = {}
  for _, entry in ipairs(unexpired(text)) do
    if entry[2] ~= name then entries[#entries + 1] = entry[1] .. US .. entry[2] end
  end
  entries[#entries + 1] = int(expires_at) .. US .. name
  while #entries > MAX_EXCLUDED do table.remove(entries, 1) end
  return table.concat(entries, RS), #entries
end

-- Excludes the streamer for this ticket, twice as long for each failure in a row. Quarantines it for all tickets once
-- two replicas, or the only one, have failed to reach it. Failures expire.
local function record_failure()
  local s = streamer(key)
  if not s then return end
  local fails = math.min((#unexpired(s.fby) > 0 and tonumber(s.fails) or 0) + 1, MAX_FAILURES)
  local expires_at = now + math.min(FIRST_QUARANTINE * 2 ^ (fails - 1), LONGEST_QUARANTINE)
  local by, failed = add_unexpired(s.fby, t[6], now + FAILURE)
  s.fails = int(fails)
  s.fby = by
  call('HSET', P .. 't:' .. session, 'av', (add_unexpired(t[4], key, expires_at)))
  if failed >= math.min(FAILED_REPLICAS, math.max(call('SCARD', P .. 'replicas'), 1)) then
    s.asd = int(expires_at)
    add_streamer_event('quarantined', s, 'until', s.asd)
  end
end

if ARGV[3] == '1' then record_failure() end
requeue(session, key, t[3] == '1')
serve(key)
if not warming_up then place(session, 'C') end
return answer(placed(session))
