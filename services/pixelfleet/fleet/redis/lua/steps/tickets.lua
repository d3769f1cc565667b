-- Tickets: queueing and leases.

local function lane_of(app, selector, wants) return app .. US .. (wants ~= '' and '=' .. wants or selector) end

-- Returns the selector of a lane; empty for the lane of any streamer, or of tickets that want a particular one.
local function selector_of(lane, app)
  local choice = lane:sub(#app + 2)
  return choice:sub(1, 1) == '=' and '' or choice
end

-- Adds a ticket to its lane. `facts` are further fields and values of the ticket. `client`, if it is neither nil nor
-- empty, is the client whose share counts the app and the selector if no other ticket waits for them.
local function enqueue(session, lane, rank, app, arrival, facts, client)
  call('HSET', P .. 't:' .. session, 'st', 'W', 'k', '', 'dl', '0', unpack(facts or {}))
  if client == '' then client = nil end
  local selector = client and selector_of(lane, app) or ''
  if selector ~= '' and call('EXISTS', P .. 'lane:' .. lane) == 0 then
    call('HSET', P .. 'claims:' .. app, selector, client)
  end
  call('ZADD', P .. 'lane:' .. lane, rank, session)
  local added = call('ZADD', waiting_key(app, lane), arrival, session)
  if is_known(app) then call('ZADD', P .. 'lanes', 'NX', now_text, lane)
  else
    if call('SADD', P .. 'unknown', app) == 1 then
      schedule_recount()
      if client then call('HSET', P .. 'claims', app, client) end
    end
    call('SADD', P .. 'unknown:' .. app, lane)
    count_unknown(added)
  end
  any_waiting[app] = true
end

-- Returns whether a lane that is not empty is among those of the known apps, or of its unknown app.
local function is_registered(lane, app)
  if is_known(app) then return call('ZSCORE', P .. 'lanes', lane) end
  return is_unknown(app) and call('SISMEMBER', P .. 'unknown:' .. app, lane) == 1
end

local function dequeue(session, lane, app)
  call('ZREM', P .. 'lane:' .. lane, session)
  call('ZREM', waiting_key(app, lane), session)
  local empty = call('EXISTS', P .. 'lane:' .. lane) == 0
  local selector = empty and selector_of(lane, app) or ''
  if selector ~= '' then call('HDEL', P .. 'claims:' .. app, selector) end
  if unknown_waiting == 0 or not is_unknown(app) then
    if empty then call('ZREM', P .. 'lanes', lane) end
    return
  end
  count_unknown(-1)
  if empty then call('SREM', P .. 'unknown:' .. app, lane) end
  if not is_waiting(app) then forget_unknown(app) end
end

-- Returns the unexpired entries of a list of `expires_at US name`: excluded streamers, or replicas whose dial failed.
local function unexpired(text)
  local valid = {}
  for entry in (text or ''):gmatch('[^' .. RS .. ']+') do
    local expires_at, name = entry:match('^(%d+)' .. US .. '(.*)$')
    if tonumber(expires_at) > now then valid[#valid + 1] = { expires_at, name } end
  end
  return valid
end

local function excluded_streamers(text)
  if not text or text == '' then return nil end
  local keys
  for _, entry in ipairs(unexpired(text)) do keys = keys or {}; keys[entry[2]] = true end
  return keys
end

-- Keeps the place of a ticket that is about to be deleted, for the time that the ticket requests. The present time
-- decides whether it is still kept; the time to live only frees the memory. `code` is that of record_of(). Returns
-- whether it is kept.
local function keep_place(session, code)
  local t = call('HMGET', P .. 't:' .. session, 'tk', 'arr')
  local seconds = t[1] and tonumber(t[1]:match('"keeps_place":(%d+)'))
  if not seconds then return false end
  local key, kept_until = P .. 'place:' .. session, int(now + seconds * 1000000)
  call('HSET', key, 'arr', t[2], 'until', kept_until)
  if kept_records then
    call('HSET', key, 'r', table.concat(record_of(session, 'abandoned', code), ','))
    call('ZADD', DUE, kept_until, 'x:' .. session)
    seconds = seconds + EXPIRY / 1000000
  end
  call('EXPIRE', key, int(seconds + 1))
  return true
end

-- Records the end of a session whose place is no longer kept.
local function forget_place(session)
  local key = P .. 'place:' .. session
  local record = kept_records and call('HGET', key, 'r')
  if not record then return end
  call('DEL', key)
  add_record({ record })
end

-- Returns the arrival of a session whose place is kept, or nil.
local function kept_arrival(session)
  local kept = call('HMGET', P .. 'place:' .. session, 'arr', 'until')
  return kept[1] and tonumber(kept[2]) > now and kept[1] or nil
end

-- Announces to a replica that the player of a session has returned through another one.
local function announce_move(session, replica)
  call('SADD', P .. 'end:' .. replica, 'moved:' .. session)
  wake_counts[replica] = (wake_counts[replica] or 0) + 1
end

-- Announces a match to a replica; acknowledge() withdraws the announcement.
local function announce(session, replica)
  call('RPUSH', P .. 'new:' .. replica, session)
  wake_counts[replica] = (wake_counts[replica] or 0) + 1
end

local function acknowledge(session, replica)
  call('LREM', P .. 'new:' .. replica, 0, session)
  if wake_counts[replica] then wake_counts[replica] = wake_counts[replica] - 1 end
end

-- Gives a ticket a lease: a slot, or the right to spectate. `state` is M (announced to the replica) or C (returned to
-- it by this call). `arrival` is the time until the deadline, if not the default. `facts` are further fields and values
-- of the ticket. Returns whether the streamer is still open, and free, and the deadline.
local function assign(session, key, state, spectator, replica, arrival, facts)
  local s = streamer(key)
  count_lease(s, spectator, 1)
  local open, free = refresh(s)
  local deadline = '0'
  if state == 'M' or s.stk ~= '1' or arrival then
    deadline = int(now + (state == 'M' and CLAIM or arrival or ARRIVAL))
    call('ZADD', DUE, deadline, 'l:' .. session)
  end
  call('HSET', P .. 't:' .. session, 'st', state, 'k', key, 'sh', spectator and '1' or '0', 'since', now_text,
    'dl', deadline, unpack(facts or {}))
  call('SADD', P .. 'sl:' .. key, session)
  if state == 'M' then announce(session, replica) end
  return open, free, deadline
end

local function unassign(session, key, spectator, deadline)
  if deadline ~= '0' then call('ZREM', DUE, 'l:' .. session) end
  if call('SREM', P .. 'sl:' .. key, session) == 1 then
    local s = streamer(key)
    if s then count_lease(s, spectator, -1) end
  end
end
