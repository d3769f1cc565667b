-- Replaces a replica's sessions by its snapshot, in one or more calls, or adds some that are missing.
-- ARGV[2] replica  [3] 1 for the first call  [4] 1 for the last; both empty to drop no sessions
-- ARGV[5] operator-drained streamers (json), used only while the store recovers from a reset; then for each session fourteen:
--   session, app, selector, wants, the number of join's ARGV[7], rank, arrival, the ticket, join's ARGV[13], and its
--   lease, or empty: streamer, 1 for a spectator, 1 for a legacy server, the streamer's report, the time of the match
-- A session without an app is unsettled: it stays as it is.
expire()
local replica = ARGV[2]
local restored, complete = P .. 'said:' .. replica, ARGV[4] ~= ''
if ARGV[3] == '1' then call('DEL', restored) end
renew_replica(replica)

for _, key in ipairs(are_reports_missing() and cjson.decode(ARGV[5]) or {}) do
  call('SADD', P .. 'back', key)
  local s = streamer(key)
  if s then
    s.hb = '1'
    refresh(s)
  else
    call('ZADD', DUE, int(now + UNUSED), 'b:' .. key)
  end
end

local function among(session, list)
  for _, each in ipairs(list and cjson.decode(list) or {}) do
    if each == session then return true end
  end
  return false
end

local function restore_lease(session, key, spectator, legacy, report, since)
  local s = streamer(key, true)
  if s and (among(session, s.ses) or among(session, s.onl)) then
    call('HSET', P .. 't:' .. session, 'st', 'H', 'k', key, 'sh', spectator and '1' or '0', 'since', now_text,
      'dl', '0')
    call('SADD', P .. 'sh:' .. key, session)
    call('SREM', P .. 'rt:' .. replica, session)
  elseif s then
    assign(session, key, 'C', spectator, replica)
  else
    -- Its server has not reported yet: the lease is stored under the streamer's key until it does.
    local deadline = legacy and '0' or int(now + ARRIVAL)
    call('HSET', P .. 't:' .. session, 'st', 'C', 'k', key, 'sh', spectator and '1' or '0', 'since', now_text,
      'dl', deadline, 'rep', report)
    if not legacy then call('ZADD', DUE, deadline, 'l:' .. session) end
    call('SADD', P .. 'sl:' .. key, session)
  end
  call('HSET', P .. 't:' .. session, 'since', int(math.min(tonumber(since), now)))
end

-- Returns whether the entry of a waiting session is complete, so that it can be matched.
local function is_queued(session, lane, app)
  return call('ZSCORE', P .. 'lane:' .. lane, session) and call('ZSCORE', waiting_key(app, lane), session)
    and is_registered(lane, app)
end

-- Returns the client of a ticket, which is among its last fields.
local function client_of(ticket)
  return ticket:match('"client":"(%x+)"}$') or ticket:match('"client":"(%x+)","person":"%x+"}$')
end

-- Queues a waiting session again whose entry is lost.
local function restore_entry(session, lane, rank, app, selector, wants, arrival, ticket)
  if wants == '' then register_selector(app, selector) end
  if is_queued(session, lane, app) then return end
  enqueue(session, lane, rank, app, arrival, nil, client_of(ticket))
  requeued[#requeued + 1] = { session, tonumber(rank) }
end

for i = 6, #ARGV, 14 do
  local session, app, selector, wants, rank, arrival = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 5],
    ARGV[i + 6]
  local key, spectator, legacy, report = ARGV[i + 9], ARGV[i + 10] == '1', ARGV[i + 11] == '1', ARGV[i + 12]
  local since = ARGV[i + 13]
  local T, lane = P .. 't:' .. session, lane_of(app, selector, wants)
  local t = call('HMGET', T, 'st', 'rp', 'k', 'lane', 'app', 'want')
  if complete then call('SADD', restored, session) end
  if app == '' then
    -- Unsettled.
  elseif not t[1] then
    call('HSET', T, 'rp', replica, 'app', app, 'sel', selector, 'want', wants, 'share', ARGV[i + 4], 'lane', lane,
      'rank', rank, 'arr', arrival, 'tk', ARGV[i + 7], 'av', '')
    if ARGV[i + 8] ~= '' then call('HSET', T, 'rec', ARGV[i + 8]) end
    call('SADD', P .. 'rt:' .. replica, session)
    begin_use(session, ARGV[i + 7])
    last_arrival = math.max(last_arrival, tonumber(arrival))
    if key ~= '' then restore_lease(session, key, spectator, legacy, report, since)
    else
      if wants == '' then register_selector(app, selector) end
      enqueue(session, lane, rank, app, arrival, nil, client_of(ARGV[i + 7]))
      requeued[#requeued + 1] = { session, tonumber(rank) }
    end
  elseif t[2] == replica then
    if t[1] ~= 'H' then call('SADD', P .. 'rt:' .. replica, session) end
    if t[1] == 'C' and key == '' then
      -- The answer that claimed it was lost.
      local deadline = int(now + CLAIM)
      call('HSET', T, 'st', 'M', 'dl', deadline)
      call('ZADD', DUE, deadline, 'l:' .. session)
      announce(session, replica)
    elseif t[1] == 'M' and key == t[3] then
      acknowledge(session, replica)
      claim(session, key)
    elseif t[1] == 'W' and key == '' then
      restore_entry(session, t[4], rank, t[5], selector, t[6], arrival, ARGV[i + 7])
    elseif t[1] == 'W' and key ~= '' and (legacy or warming_up) then
      -- The player is at a legacy server, or the store has data from before the lease and has given no other since.
      dequeue(session, t[4], t[5])
      restore_lease(session, key, spectator, legacy, report, since)
    end
  end
end
call('HSET', P .. 'epoch', 'last', int(last_arrival))
if ARGV[4] == '1' then
  for _, session in ipairs(call('SDIFF', P .. 'rt:' .. replica, restored)) do drop_session(session) end
  call('DEL', restored)
elseif complete then
  call('EXPIRE', restored, RESTORE_SECONDS)
end
place_requeued()
return answer(1)
