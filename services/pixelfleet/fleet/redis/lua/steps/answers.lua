-- What callers are told.

-- `orphaned` is the streamer's report as it was last known, for a lease that outlives it.
local function lease(session, replica, key, state, shared, since, arrived, deadline, orphaned)
  local s = streamer(key)
  return { session, replica, s and s.rep or orphaned, state, shared, since, arrived, deadline }
end

-- The replica of a matched session has heard of it: its player is on its way. Returns its deadline.
local function claim(session, key)
  local s, deadline = streamer(key), '0'
  if s and s.stk == '1' then
    call('ZREM', DUE, 'l:' .. session)
  else
    deadline = int(now + ARRIVAL)
    call('ZADD', DUE, deadline, 'l:' .. session)
  end
  call('HSET', P .. 't:' .. session, 'st', 'C', 'dl', deadline)
  return deadline
end

-- What a session has, for the replica that asks: a place, a lease, which is claimed by that, or false.
local function placed(session)
  local t = call('HMGET', P .. 't:' .. session, 'st', 'arr', 'tk', 'want', 'rp', 'k', 'sh', 'since', 'dl', 'rep')
  local state, arrived, replica, key, deadline = t[1], t[2], t[5], t[6], t[9]
  if not state then return false end
  if state == 'W' then return { session, arrived, t[3], t[4], replica } end
  if state == 'M' then
    heard(session, replica)
    state, deadline = 'C', claim(session, key)
  end
  return lease(session, replica, key, state, t[7], t[8], arrived, deadline, t[10])
end

-- Ends every script: writes what has become of streamers, and wakes those for whom something was matched.
local function answer(value)
  for _, s in pairs(streamers) do
    if s then write(s) end
  end
  for replica, matches in pairs(woken) do
    if matches > 0 then call('PUBLISH', P .. 'wake:' .. replica, '') end
  end
  return value
end
