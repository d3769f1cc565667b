-- Expiry, and the end of sessions, streamers, servers and replicas.

-- `state` is the state in which the session has ended, if not that of its ticket.
local function delete_ticket(session, replica, state)
  add_session_event('ended', session, 'state', state)
  call('SREM', P .. 'rt:' .. replica, session)
  local t = call('HMGET', P .. 't:' .. session, 'st', 'since', 'tk')
  end_use(session, t[1], t[2], t[3])
  call('DEL', P .. 't:' .. session)
end

-- Records the end of a session. A dropped app gets no new list, because nothing would delete it.
local function count_end(app)
  local ends = P .. 'ends:' .. app
  local length = call('LPUSH', ends, now_text)
  if length == 1 and call('SISMEMBER', P .. 'apps', app) == 0 then call('DEL', ends)
  elseif length > KEPT_ENDS then call('LTRIM', ends, 0, ENDS_AFTER_CUT - 1) end
end

-- Ends a held session. No replica owns it any more. `cause` and `node` are those of record_of().
local function end_session(session, cause, node)
  local t = call('HMGET', P .. 't:' .. session, 'sh', 'app', 'since', 'tk')
  if not t[2] then return end
  record_end(session, cause, nil, node)
  end_use(session, 'H', t[3], t[4])
  if t[1] ~= '1' then count_end(t[2]) end
  add_session_event('ended', session)
  call('DEL', P .. 't:' .. session)
end

-- Cancels a lease: its ticket waits again, in its old place. A reservation ends.
local function requeue(session, key, spectator)
  local t = call('HMGET', P .. 't:' .. session, 'rp', 'lane', 'rank', 'app', 'arr', 'sel', 'want', 'dl')
  unassign(session, key, spectator, t[8])
  if t[1] == '' then delete_ticket(session, ''); return end
  if t[7] == '' then register_selector(t[4], t[6]) end
  enqueue(session, t[2], t[3], t[4], t[5])
  add_session_event('queued', session, 'again', '1')
  requeued[#requeued + 1] = { session, tonumber(t[3]) }
end

-- Matches requeued tickets at once where a streamer is free, in their order.
local function place_requeued()
  local again = requeued
  requeued = {}
  if warming_up then return end
  table.sort(again, function(one, other)
    if one[2] ~= other[2] then return one[2] < other[2] end
    return one[1] < other[1]
  end)
  for _, each in ipairs(again) do place(each[1], 'M') end
end

-- Returns the cause in the record of a session that is not held, by its state and the deadline of its lease.
local function cause_of(state, deadline) return state == 'C' and deadline == '0' and 'left' or 'abandoned' end

-- Removes a session that is not held; with an owner, only while that replica owns it. Only its server ends a held
-- session. `may_return` is whether its player was lost, and may return to its place. `code` is the close code of its
-- connection as text, if it is known.
local function drop_session(session, owner, may_return, code)
  local t = call('HMGET', P .. 't:' .. session, 'st', 'lane', 'app', 'k', 'sh', 'rp', 'dl')
  local state, key, spectator, deadline = t[1], t[4], t[5] == '1', t[7]
  if not state or (owner and t[6] ~= owner) then return end
  if state ~= 'H' then
    local is_kept = may_return and keep_place(session, code)
    if not is_kept and t[6] ~= '' then record_end(session, cause_of(state, deadline), code) end
  end
  if state == 'W' then
    dequeue(session, t[2], t[3])
    delete_ticket(session, t[6])
  elseif state ~= 'H' then
    unassign(session, key, spectator, deadline)
    if state == 'C' and deadline == '0' and not spectator then count_end(t[3]) end
    delete_ticket(session, t[6])
    serve(key)
  end
end

-- Removes a streamer, and requeues the tickets with a lease on it. A lease on a legacy server stays: its replica still
-- relays the player, and reports the departure. `cause` is that of record_of().
local function drop_streamer(key, cause)
  local s = streamer(key)
  if not s then return end
  add_streamer_event('down', s)
  set_free(s.app, s.lab, key, '')
  count_fitting(s.app, s.lab, -1)
  call('ZREM', P .. 'ready:' .. s.app, key)
  call('ZREM', P .. 'unusable:' .. s.app, key)
  call('SREM', P .. 'ep:' .. s.app .. US .. s.ep, key)
  call('SREM', P .. 'node:' .. s.app .. US .. s.node, key)
  call('SREM', P .. 'all:' .. s.app, key)
  add_totals(s.app, s.tot, '0:0:0:0:0')
  repack(s.app, s.node, -s.taken, key)
  call('ZREM', DUE, 'a:' .. key)
  if s.hb == '1' then call('ZADD', DUE, int(now + UNUSED), 'b:' .. key) end
  call('DEL', P .. 's:' .. key)
  streamers[key] = false
  for _, session in ipairs(call('SMEMBERS', P .. 'sl:' .. key)) do
    local t = call('HMGET', P .. 't:' .. session, 'sh', 'dl')
    if t[2] == '0' then call('HSET', P .. 't:' .. session, 'rep', s.rep) else requeue(session, key, t[1] == '1') end
  end
  for _, session in ipairs(call('SMEMBERS', P .. 'sh:' .. key)) do
    end_session(session, cause, s.node)
  end
  call('DEL', P .. 'sh:' .. key)
end

local function drop_server(server)
  local v = call('HMGET', P .. 'v:' .. server, 'keys', 'owner')
  if not v[2] then return end
  for _, key in ipairs(v[1] and cjson.decode(v[1]) or {}) do drop_streamer(key, 'server_lost') end
  call('SREM', P .. 'rv:' .. v[2], server)
  call('ZREM', DUE, 'v:' .. server)
  call('DEL', P .. 'v:' .. server, P .. 'end:' .. server)
  place_requeued()
end

-- Removes an expired replica with its sessions and legacy servers. One call removes a limited number of them.
local function drop_replica(replica)
  for _, session in ipairs(call('SRANDMEMBER', P .. 'rt:' .. replica, SESSIONS_AT_ONCE)) do
    drop_session(session, nil, true)
  end
  for _, server in ipairs(call('SPOP', P .. 'rv:' .. replica, SERVERS_AT_ONCE)) do drop_server(server) end
  call('DEL', P .. 'new:' .. replica, P .. 'end:' .. replica)
  if call('EXISTS', P .. 'rt:' .. replica, P .. 'rv:' .. replica) > 0 then call('ZADD', DUE, now_text, 'r:' .. replica)
  else
    call('SREM', P .. 'replicas', replica)
    call('HDEL', P .. 'epoch', 'r:' .. replica)
  end
end

-- Registers a replica that makes its first call other than a renewal. It expires unless it renews.
local function register_replica(replica)
  if now < last_renewal + EXPIRY then return end
  if call('SADD', P .. 'replicas', replica) == 1 then call('ZADD', DUE, int(now + EXPIRY), 'r:' .. replica) end
end

-- Renews a replica.
local function renew_replica(replica)
  call('SADD', P .. 'replicas', replica)
  call('ZADD', DUE, int(now + EXPIRY), 'r:' .. replica)
  call('HSET', P .. 'epoch', 'r:' .. replica, now_text)
end

local function expire_lease(session)
  local t = call('HMGET', P .. 't:' .. session, 'st', 'k', 'sh')
  if t[1] == 'M' or t[1] == 'C' then
    requeue(session, t[2], t[3] == '1')
    serve(t[2])
    place_requeued()
  end
end

-- Begins every script: reads the epoch, and handles facts whose time is over. `replica` is the calling replica, if any.
local function expire(replica)
  local epoch = call('HMGET', P .. 'epoch', 'until', 'last', 'pol', 'r:' .. (replica or ''), 'unk', 'recovered', 'rec',
    'events')
  if epoch[1] then matching_from, recovers_until = tonumber(epoch[1]), tonumber(epoch[6] or 0)
  else begin_epoch('', 0) end
  warming_up, last_arrival = now < matching_from, tonumber(epoch[2] or 0)
  all_policies, last_renewal, unknown_waiting = epoch[3], tonumber(epoch[4] or 0), tonumber(epoch[5] or 0)
  kept_records, reported_facts, recorded = epoch[7] or nil, {}, nil
  if epoch[8] then set_events(epoch[8]) end
  for _, entry in ipairs(call('ZRANGEBYSCORE', DUE, '-inf', now_text, 'LIMIT', 0, DUE_AT_ONCE)) do
    local kind, name = entry:sub(1, 2), entry:sub(3)
    local at = call('ZSCORE', DUE, entry)
    if at and tonumber(at) <= now then  -- an earlier entry may have postponed it
      call('ZREM', DUE, entry)
      if kind == 'l:' then expire_lease(name)
      elseif kind == 'v:' then drop_server(name)
      elseif kind == 'r:' then drop_replica(name)
      elseif kind == 'a:' then serve(name)
      elseif kind == 'p:' then drop_app(name)
      elseif kind == 'u:' then recount_unknown()
      elseif kind == 'b:' then call('SREM', P .. 'back', name)
      elseif kind == 'x:' then forget_place(name)
      elseif kind == 'e:' then catch_up() end
    end
  end
end
