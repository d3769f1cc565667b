-- What ends: sessions, streamers, servers and replicas, and what lapses by itself.

local function forget(session, replica)
  call('SREM', P .. 'rt:' .. replica, session)
  call('DEL', P .. 't:' .. session)
end

-- A list that begins is its app's, with which it goes; an app that has been dropped meanwhile counts nothing.
local function count_end(app)
  local ends = P .. 'ends:' .. app
  local length = call('LPUSH', ends, now_text)
  if length == 1 and call('SISMEMBER', P .. 'apps', app) == 0 then call('DEL', ends)
  elseif length > KEPT_ENDS then call('LTRIM', ends, 0, ENDS_AFTER_CUT - 1) end
end

-- A session that a server held is over. No replica has had it since then.
local function finish(session)
  local t = call('HMGET', P .. 't:' .. session, 'sh', 'app')
  if not t[2] then return end
  if t[1] ~= '1' then count_end(t[2]) end
  call('DEL', P .. 't:' .. session)
end

-- A promise came to nothing: its ticket waits again, in its old place.
local function back(session, key, shared)
  local t = call('HMGET', P .. 't:' .. session, 'rp', 'lane', 'rank', 'app', 'arr', 'sel', 'want', 'dl')
  unassign(session, key, shared, t[8])
  if t[1] == '' then forget(session, ''); return end
  if t[7] == '' then know_choice(t[4], t[6], true) end
  enqueue(session, t[2], t[3], t[4], t[5])
  returned[#returned + 1] = { session, tonumber(t[3]) }
end

-- Those who wait again may find another streamer at once.
local function settle()
  local again = returned
  returned = {}
  if young then return end
  table.sort(again, function(one, other)
    if one[2] ~= other[2] then return one[2] < other[2] end
    return one[1] < other[1]
  end)
  for _, each in ipairs(again) do place(each[1], 'M') end
end

-- Takes a session out, whatever its state; with a replica, only while it is that replica's. A session that a server
-- holds is that server's to end.
local function leave(session, whose)
  local t = call('HMGET', P .. 't:' .. session, 'st', 'lane', 'app', 'k', 'sh', 'rp', 'dl')
  local state, key, shared, deadline = t[1], t[4], t[5] == '1', t[7]
  if not state or (whose and t[6] ~= whose) then return end
  if state == 'W' then
    dequeue(session, t[2], t[3])
    forget(session, t[6])
  elseif state ~= 'H' then
    unassign(session, key, shared, deadline)
    if state == 'C' and deadline == '0' and not shared then count_end(t[3]) end
    forget(session, t[6])
    serve(key)
  end
end

-- Who was promised a streamer that is gone waits again, but for those who are with a stock one: their replica relays
-- them, and says when that ends.
local function drop_streamer(key)
  local s = streamer(key)
  if not s then return end
  set_free(s.app, s.lab, key, '')
  call('ZREM', P .. 'ready:' .. s.app, key)
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
    if t[2] == '0' then call('HSET', P .. 't:' .. session, 'rep', s.rep) else back(session, key, t[1] == '1') end
  end
  for _, session in ipairs(call('SMEMBERS', P .. 'sh:' .. key)) do finish(session) end
  call('DEL', P .. 'sh:' .. key)
end

local function drop_server(server)
  local v = call('HMGET', P .. 'v:' .. server, 'keys', 'owner')
  if not v[2] then return end
  for _, key in ipairs(v[1] and cjson.decode(v[1]) or {}) do drop_streamer(key) end
  call('SREM', P .. 'rv:' .. v[2], server)
  call('ZREM', DUE, 'v:' .. server)
  call('DEL', P .. 'v:' .. server, P .. 'end:' .. server)
  settle()
end

-- A replica is gone: what it held goes too, a part at a time so that no call takes long.
local function drop_replica(replica)
  for _, session in ipairs(call('SRANDMEMBER', P .. 'rt:' .. replica, SESSIONS_AT_ONCE)) do leave(session) end
  for _, server in ipairs(call('SPOP', P .. 'rv:' .. replica, SERVERS_AT_ONCE)) do drop_server(server) end
  call('DEL', P .. 'new:' .. replica, P .. 'end:' .. replica)
  if call('EXISTS', P .. 'rt:' .. replica, P .. 'rv:' .. replica) > 0 then call('ZADD', DUE, now_text, 'r:' .. replica)
  else
    call('SREM', P .. 'replicas', replica)
    call('HDEL', P .. 'epoch', 'r:' .. replica)
  end
end

-- A replica that does something is alive; one that has done nothing before has until then to say so again.
local function know_replica(replica)
  if now < spoke + EXPIRY then return end
  if call('SADD', P .. 'replicas', replica) == 1 then call('ZADD', DUE, int(now + EXPIRY), 'r:' .. replica) end
end

-- A replica says that it is alive.
local function alive(replica)
  call('SADD', P .. 'replicas', replica)
  call('ZADD', DUE, int(now + EXPIRY), 'r:' .. replica)
  call('HSET', P .. 'epoch', 'r:' .. replica, now_text)
end

local function lapse(session)
  local t = call('HMGET', P .. 't:' .. session, 'st', 'k', 'sh')
  if t[1] == 'M' or t[1] == 'C' then
    back(session, t[2], t[3] == '1')
    serve(t[2])
    settle()
  end
end

-- Begins every call, of a replica if it is named: what is over is over, whoever asks.
local function expire(replica)
  local epoch = call('HMGET', P .. 'epoch', 'until', 'last', 'pol', 'r:' .. (replica or ''))
  if epoch[1] then matching = tonumber(epoch[1]) else begin_epoch('', WARM_UP) end
  young, last, all_policies, spoke = now < matching, tonumber(epoch[2] or 0), epoch[3], tonumber(epoch[4] or 0)
  for _, what in ipairs(call('ZRANGEBYSCORE', DUE, '-inf', now_text, 'LIMIT', 0, DUE_AT_ONCE)) do
    local kind, name = what:sub(1, 2), what:sub(3)
    local at = call('ZSCORE', DUE, what)
    if at and tonumber(at) <= now then  -- what came before it in this loop may have put it off
      call('ZREM', DUE, what)
      if kind == 'l:' then lapse(name)
      elseif kind == 'v:' then drop_server(name)
      elseif kind == 'r:' then drop_replica(name)
      elseif kind == 'a:' then serve(name)
      elseif kind == 'p:' then drop_app(name)
      elseif kind == 'b:' then call('SREM', P .. 'back', name)
      elseif kind == 'e:' then catch_up() end
    end
  end
end
