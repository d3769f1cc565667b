-- What becomes of a ticket: it waits, is promised something, or waits again.

local function lane_of(app, selector, wants) return app .. US .. (wants ~= '' and '=' .. wants or selector) end

local function enqueue(session, lane, rank, app, arrival)
  call('HSET', P .. 't:' .. session, 'st', 'W', 'k', '', 'dl', 0)
  call('ZADD', P .. 'lane:' .. lane, rank, session)
  call('ZADD', P .. 'lanes', 'NX', now, lane)
  call('ZADD', P .. 'wait:' .. app, arrival, session)
  know_app(app)
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

local function best(app, selector, avoid)
  for _, key in ipairs(call('ZRANGE', index(app, selector), 0, avoid and MAX_AVOIDED or 0)) do
    if not (avoid and avoid[key]) then return key end
  end
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

-- Promises a slot, or leave to look on. `state` is M when the ticket's replica must still hear of it, C when it asked.
-- Returns what `refresh` does.
local function assign(session, key, state, shared, replica, arrival)
  local app, open, free, stock = refresh(key, shared and 'shd' or 'live', 1)
  local deadline = now + (state == 'M' and CLAIM or arrival or ARRIVAL)
  if state == 'C' and stock and not arrival then deadline = 0 end
  call('HSET', P .. 't:' .. session, 'st', state, 'k', key, 'sh', shared and 1 or 0, 'since', now, 'dl', deadline)
  if deadline > 0 then call('ZADD', DUE, deadline, 'l:' .. session) end
  call('SADD', P .. 'sl:' .. key, session)
  if state == 'M' then announce(session, replica) end
  return app, open, free, stock
end

local function unassign(session, key, shared)
  call('ZREM', DUE, 'l:' .. session)
  if call('SREM', P .. 'sl:' .. key, session) == 1 and call('EXISTS', P .. 's:' .. key) == 1 then
    call('HINCRBY', P .. 's:' .. key, shared and 'shd' or 'live', -1)
  end
end
