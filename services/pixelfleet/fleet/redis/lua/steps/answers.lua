-- Replies.

-- Returns a lease as a reply. `last_report` is the streamer's last report, for a lease that outlives its streamer.
local function lease(session, replica, key, state, spectator, since, arrived, deadline, last_report)
  local s = streamer(key)
  return { session, replica, s and s.rep or last_report, state, spectator, since, arrived, deadline }
end

-- Remembers that a session is away, for a player of the same person, if a cookie may bring that back.
local function remember_away_session(session)
  local ticket = call('HGET', P .. 't:' .. session, 'tk')
  local person = ticket and ticket:find('"by_cookie":true', 1, true) and ticket:match('"person":"(%x+)"}$')
  if not person then return end
  call('HSET', P .. 'away:' .. person, 'session', session)
  call('EXPIRE', P .. 'away:' .. person, AWAY_SECONDS)
end

-- Returns the held lease of a person's away session, and forgets that it is away. Returns nil if it is not away any
-- more according to the last report, or was for something else than this app and selector.
local function take_away_session(person, app, selector)
  local session = call('HGET', P .. 'away:' .. person, 'session')
  local t = call('HMGET', P .. 't:' .. (session or ''), 'st', 'k', 'sh', 'rp', 'since', 'arr', 'app', 'sel', 'want')
  local s = t[1] == 'H' and streamer(t[2])
  local away = s and s.rep:match('"away":(%b[])')
  if not (away and away:find('"' .. session .. '"', 1, true)) then return end
  if t[7] ~= app or t[8] ~= selector or t[9] ~= '' then return end
  call('DEL', P .. 'away:' .. person)
  return lease(session, t[4], t[2], 'H', t[3], t[5], t[6], '0')
end

-- Claims a matched lease for its replica. Returns its deadline.
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

-- Returns a session's place or lease, or false for an unknown session. A matched lease is claimed by this.
local function placed(session)
  local t = call('HMGET', P .. 't:' .. session, 'st', 'arr', 'tk', 'want', 'rp', 'k', 'sh', 'since', 'dl', 'rep')
  local state, arrived, replica, key, deadline = t[1], t[2], t[5], t[6], t[9]
  if not state then return false end
  if state == 'W' then return { session, arrived, t[3], t[4], replica } end
  if state == 'M' then
    acknowledge(session, replica)
    state, deadline = 'C', claim(session, key)
  end
  return lease(session, replica, key, state, t[7], t[8], arrived, deadline, t[10])
end

-- Ends every script: writes changed streamers, and wakes the replicas with new matches.
local function answer(value)
  for _, s in pairs(streamers) do
    if s then write(s) end
  end
  for replica, matches in pairs(wake_counts) do
    if matches > 0 then call('PUBLISH', P .. 'wake:' .. replica, '') end
  end
  return value
end
