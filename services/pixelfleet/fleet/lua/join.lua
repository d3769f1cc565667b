-- Gives a ticket a streamer at once, or a place in its queue.
-- ARGV[2] session  [3] replica, or empty for a page that dials by itself  [4] app  [5] selector  [6] wants
-- ARGV[7] 1 if it may look on  [8] rank without the arrival  [9] the ticket
-- Returns {session, arrival} for a place, a lease, false for a page that got nothing, or 'choices'
local session, replica, app, selector, wants = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local T = P .. 't:' .. session
if call('EXISTS', T) == 1 then return answer(placed(session)) end

-- A session under way is named by its id: what is wanted then is its streamer.
if wants ~= '' and wants ~= '*' then
  local t = call('HMGET', P .. 't:' .. wants, 'k', 'app')
  if t[1] and t[1] ~= '' and t[2] == app then wants = t[1] end
end

-- Begins to keep the free streamers that serve a choice of labels; the least used choice makes room for it.
local function know(choice)
  local known = P .. 'sel:' .. app
  if choice == '' then return true end
  if call('ZSCORE', known, choice) then call('ZADD', known, now, choice); return true end
  if call('ZCARD', known) >= MAX_SELECTORS then
    local dropped
    for _, old in ipairs(call('ZRANGE', known, 0, -1)) do
      if call('EXISTS', P .. 'lane:' .. app .. US .. old) == 0 then dropped = old; break end
    end
    if not dropped then return false end
    call('ZREM', known, dropped)
    call('DEL', index(app, dropped))
  end
  call('ZADD', known, now, choice)
  selectors[app] = nil
  for _, key in ipairs(call('ZRANGE', index(app, ''), 0, -1)) do
    local s = call('HMGET', P .. 's:' .. key, 'lab', 'free')
    if serves(s[1], choice) then call('ZADD', index(app, choice), s[2], key) end
  end
  return true
end

if not know(selector) then return answer('choices') end
local key, shared
if not young then key, shared = choose(app, selector, wants, ARGV[7] == '1') end
if replica == '' and not key then return answer(false) end

local arrival = math.max(now, (tonumber(call('GET', P .. 'last') or 0)) + 1)
call('SET', P .. 'last', arrival)
local lane = app .. US .. (wants ~= '' and '=' .. wants or selector)
call('HSET', T, 'rp', replica, 'app', app, 'sel', selector, 'want', wants, 'share', ARGV[7], 'lane', lane,
  'rank', int(tonumber(ARGV[8]) + arrival), 'arr', arrival, 'tk', ARGV[9], 'av', '')
if replica ~= '' then
  call('SADD', P .. 'rt:' .. replica, session)
  if not call('ZSCORE', DUE, 'r:' .. replica) then call('ZADD', DUE, now + EXPIRY, 'r:' .. replica) end
end
if key then
  assign(session, key, 'C', shared, replica == '' and PAGE_ARRIVAL or nil)
  return answer(lease(session))
end
enqueue(session)
return answer({ session, int(arrival), ARGV[9] })
