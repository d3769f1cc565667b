-- What becomes of a ticket: it waits, is promised something, or waits again.

local function lane_of(app, selector, wants) return app .. US .. (wants ~= '' and '=' .. wants or selector) end

-- `facts` are what else there is to write of the ticket.
local function enqueue(session, lane, rank, app, arrival, facts)
  call('HSET', P .. 't:' .. session, 'st', 'W', 'k', '', 'dl', '0', unpack(facts or {}))
  call('ZADD', P .. 'lane:' .. lane, rank, session)
  call('ZADD', P .. 'lanes', 'NX', now_text, lane)
  call('ZADD', P .. 'wait:' .. app, arrival, session)
  know_app(app)
  asked_for = true
end

local function dequeue(session, lane, app)
  call('ZREM', P .. 'lane:' .. lane, session)
  call('ZREM', P .. 'wait:' .. app, session)
  if call('EXISTS', P .. 'lane:' .. lane) == 0 then call('ZREM', P .. 'lanes', lane) end
end

-- What could not be reached, or by whom, is noted as `until US name`, one after the other.
local function notes(text)
  local valid = {}
  for entry in (text or ''):gmatch('[^' .. RS .. ']+') do
    local till, name = entry:match('^(%d+)' .. US .. '(.*)$')
    if tonumber(till) > now then valid[#valid + 1] = { till, name } end
  end
  return valid
end

local function avoided(text)
  if not text or text == '' then return nil end
  local keys
  for _, note in ipairs(notes(text)) do keys = keys or {}; keys[note[2]] = true end
  return keys
end

-- A replica is told of a match, or has heard of it.
local function announce(session, replica)
  call('RPUSH', P .. 'new:' .. replica, session)
  woken[replica] = (woken[replica] or 0) + 1
end

local function heard(session, replica)
  call('LREM', P .. 'new:' .. replica, 0, session)
  if woken[replica] then woken[replica] = woken[replica] - 1 end
end

-- Promises a slot, or leave to look on. `state` is M when the ticket's replica must still hear of it, C when it asked;
-- `facts` are what else there is to write of the ticket. Returns whether the streamer is still open, and free, and the
-- deadline.
local function assign(session, key, state, shared, replica, arrival, facts)
  local s = streamer(key)
  count(s, shared, 1)
  local open, free = refresh(s)
  local deadline = '0'
  if state == 'M' or s.stk ~= '1' or arrival then
    deadline = int(now + (state == 'M' and CLAIM or arrival or ARRIVAL))
    call('ZADD', DUE, deadline, 'l:' .. session)
  end
  call('HSET', P .. 't:' .. session, 'st', state, 'k', key, 'sh', shared and '1' or '0', 'since', now_text,
    'dl', deadline, unpack(facts or {}))
  call('SADD', P .. 'sl:' .. key, session)
  if state == 'M' then announce(session, replica) end
  return open, free, deadline
end

local function unassign(session, key, shared, deadline)
  if deadline ~= '0' then call('ZREM', DUE, 'l:' .. session) end
  if call('SREM', P .. 'sl:' .. key, session) == 1 then
    local s = streamer(key)
    if s then count(s, shared, -1) end
  end
end
