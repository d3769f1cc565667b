-- What ends: sessions, streamers, servers and replicas, and what lapses by itself.

local function forget(session, replica)
  call('SREM', P .. 'rt:' .. replica, session)
  call('DEL', P .. 't:' .. session)
end

local function count_end(app)
  if call('LPUSH', P .. 'ends:' .. app, now) > 128 then call('LTRIM', P .. 'ends:' .. app, 0, 63) end
  call('PEXPIRE', P .. 'ends:' .. app, UNUSED / 1000)
end

-- A session that a server held is over.
local function finish(session)
  local t = call('HMGET', P .. 't:' .. session, 'rp', 'sh', 'app')
  if not t[1] then return end
  if t[2] ~= '1' then count_end(t[3]) end
  forget(session, t[1])
end

-- A promise came to nothing: its ticket waits again, in its old place.
local function back(session, key, shared)
  unassign(session, key, shared)
  local t = call('HMGET', P .. 't:' .. session, 'rp', 'lane', 'rank', 'app', 'arr', 'sel', 'want')
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

-- Takes a session out, whatever its state. A session that a server holds is that server's to end.
local function leave(session)
  local t = call('HMGET', P .. 't:' .. session, 'st', 'lane', 'app', 'k', 'sh', 'rp', 'dl')
  if not t[1] then return end
  if t[1] == 'W' then
    dequeue(session, t[2], t[3])
    forget(session, t[6])
  elseif t[1] ~= 'H' then
    unassign(session, t[4], t[5] == '1')
    if t[1] == 'C' and t[7] == '0' and t[5] ~= '1' then count_end(t[3]) end
    forget(session, t[6])
    serve(t[4])
  end
end

-- Who was promised a streamer that is gone waits again, but for those who are with a stock one: their replica relays
-- them, and says when that ends.
local function drop_streamer(key)
  local S = P .. 's:' .. key
  local s = call('HMGET', S, 'app', 'lab', 'ep', 'node', 'tot', 'taken', 'rep', 'hb')
  if not s[1] then return end
  set_free(s[1], s[2], key, '')
  call('ZREM', P .. 'ready:' .. s[1], key)
  call('SREM', P .. 'ep:' .. s[1] .. US .. s[3], key)
  call('SREM', P .. 'node:' .. s[1] .. US .. s[4], key)
  call('SREM', P .. 'all:' .. s[1], key)
  add_totals(s[1], s[5], { 0, 0, 0, 0, 0 })
  repack(s[1], s[4], -tonumber(s[6]), key)
  call('ZREM', DUE, 'a:' .. key)
  if s[8] == '1' then call('ZADD', DUE, now + UNUSED, 'b:' .. key) end
  call('DEL', S)
  for _, session in ipairs(call('SMEMBERS', P .. 'sl:' .. key)) do
    local t = call('HMGET', P .. 't:' .. session, 'sh', 'dl')
    if t[2] == '0' then call('HSET', P .. 't:' .. session, 'rep', s[7]) else back(session, key, t[1] == '1') end
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
  for _, session in ipairs(call('SRANDMEMBER', P .. 'rt:' .. replica, 500)) do leave(session) end
  for _, server in ipairs(call('SPOP', P .. 'rv:' .. replica, 100)) do drop_server(server) end
  call('DEL', P .. 'new:' .. replica, P .. 'end:' .. replica)
  if call('EXISTS', P .. 'rt:' .. replica, P .. 'rv:' .. replica) > 0 then call('ZADD', DUE, now, 'r:' .. replica)
  else call('SREM', P .. 'replicas', replica) end
end

-- A replica that does something is alive; one that has done nothing before has until then to say so again.
local function know_replica(replica)
  if call('SADD', P .. 'replicas', replica) == 1 then call('ZADD', DUE, now + EXPIRY, 'r:' .. replica) end
end

local function lapse(session)
  local t = call('HMGET', P .. 't:' .. session, 'st', 'k', 'sh')
  if t[1] == 'M' or t[1] == 'C' then
    back(session, t[2], t[3] == '1')
    serve(t[2])
    settle()
  end
end

-- Begins every call: what is over is over, whoever asks.
local function expire()
  local epoch = call('HMGET', P .. 'epoch', 'until', 'last')
  if epoch[1] then matching = tonumber(epoch[1]) else begin_epoch('', FRESH) end
  young, last = now < matching, tonumber(epoch[2] or 0)
  for _, what in ipairs(call('ZRANGEBYSCORE', DUE, '-inf', now, 'LIMIT', 0, 32)) do
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
