-- Begins every script of this folder: the steps that changes of the fleet are made of. fleet/memory.py has the same
-- steps in Python; the contract tests hold the two together.
--
-- KEYS[1]  the prefix of all keys, with the hash tag: all of them live in one slot
-- ARGV[1]  the time in microseconds; empty for this server's clock, as everywhere but in tests
--
--   epoch              hash    id, since, until (matching begins then), run (the server process that it was seen on)
--   due                zset    what lapses when: v:server, r:replica, l:session, a:streamer, e: (the young time ends)
--   v:SERVER           hash    seq, fence, owner, digest, keys (json)
--   s:STREAMER         hash    one streamer: report as sent (rep), its facts, and what they add to indexes and totals
--   sl:STREAMER        set     sessions with a lease that the server has not reported
--   sh:STREAMER        set     sessions with a lease that the server has reported
--   t:SESSION          hash    a ticket, and its lease if it has one; st is W(aiting), M(atched), C(laimed), H(eld)
--   rt:REPLICA         set     sessions of a replica;  new:REPLICA  list  those that were matched and not yet fetched
--   rv:REPLICA         set     stock servers whose link a replica holds
--   lane:LANE          zset    waiting sessions by rank;  lanes  set  the lanes that are not empty
--   wait:APP           zset    waiting sessions by arrival
--   free:APP|SELECTOR  zset    streamers with a free slot, in the order in which they are taken
--   ready:APP          zset    streamers that are ready and not draining, by onlookers
--   sel:APP            zset    choices of labels that players have asked for, by last use
--   all                set     every streamer;  ep:APP|ENDPOINT  set  those of that name
--   node:APP|NODE      set     streamers of that machine;  busy:APP  hash  used slots by machine
--   tot:APP, ends:APP, apps, policies, back (streamers that an operator holds back), end:OWNER (sessions to end)
local P, call = KEYS[1], redis.call
local now
if ARGV[1] == '' then
  local t = call('TIME')
  now = t[1] * 1000000 + t[2]
else
  now = tonumber(ARGV[1])
end
local US, RS = '\31', '\30'
local DUE = P .. 'due'
local woken, policies, selectors = {}, {}, {}
local young = false

-- Numbers as Redis writes them: Lua's own tostring keeps 14 digits only.
local function int(n) return string.format('%.0f', n) end

local function begin_epoch(run, hold)
  call('HSET', P .. 'epoch', 'id', int(now), 'since', now, 'until', now + hold, 'run', run)
  call('ZADD', DUE, now + hold, 'e:')
end

local function policy(app)
  if not policies[app] then policies[app] = call('HGET', P .. 'policies', app) or 'spread' end
  return policies[app]
end

local function serves(labels, selector)
  local all = RS .. labels .. RS
  for part in selector:gmatch('[^' .. RS .. ']+') do
    if not all:find(RS .. part .. RS, 1, true) then return false end
  end
  return true
end

-- The choices of labels that a streamer serves; the empty one, which asks for nothing, is always there.
local function served(app, labels)
  if not selectors[app] then selectors[app] = call('ZRANGE', P .. 'sel:' .. app, 0, -1) end
  local found = { '' }
  for _, selector in ipairs(selectors[app]) do
    if serves(labels, selector) then found[#found + 1] = selector end
  end
  return found
end

local function index(app, selector) return P .. 'free:' .. app .. US .. selector end

local function set_free(app, labels, key, score)
  for _, selector in ipairs(served(app, labels)) do
    if score == '' then call('ZREM', index(app, selector), key)
    else call('ZADD', index(app, selector), score, key) end
  end
end

local function score_of(app, node, taken, used, seen)
  local chosen = policy(app)
  if chosen == 'oldest' then return seen end
  if chosen == 'spread' then return used end
  if node == '' then return int(-taken) end
  return int(-(tonumber(call('HGET', P .. 'busy:' .. app, node) or 0)))
end

local function add_totals(app, before, after)
  local names = { 'streamers', 'slots', 'unlimited', 'used', 'aside' }
  local old = {}
  for value in before:gmatch('[^:]+') do old[#old + 1] = tonumber(value) end
  for i, value in ipairs(after) do
    local step = value - (old[i] or 0)
    if step ~= 0 then call('HINCRBY', P .. 'tot:' .. app, names[i], step) end
  end
end

local refresh

-- The slots in use on a machine have changed: its free streamers move in the order of the `pack` policy.
local function repack(app, node, step)
  if node == '' or step == 0 then return end
  call('HINCRBY', P .. 'busy:' .. app, node, step)
  if policy(app) ~= 'pack' then return end
  for _, key in ipairs(call('SMEMBERS', P .. 'node:' .. app .. US .. node)) do refresh(key, true) end
end

-- Brings what follows from a streamer's facts up to date. Returns its app, whether it is open (ready, not draining,
-- not set aside), and whether a slot is free; nothing when it is not known.
refresh = function(key, only_score)
  local S = P .. 's:' .. key
  local s = call('HMGET', S, 'app', 'cap', 'ok', 'n', 'live', 'stk', 'hb', 'asd', 'lab', 'node', 'used', 'seen',
    'free', 'ready', 'tot', 'shd', 'taken')
  local app = s[1]
  if not app then return end
  local cap, n, live, labels, node = tonumber(s[2]), tonumber(s[4]), tonumber(s[5]), s[9], s[10]
  local taken = n + live
  if s[6] == '1' then taken = math.max(n, live) end
  local ready = s[3] == '1' and s[7] ~= '1'
  local aside = tonumber(s[8]) > now
  local open = ready and not aside
  local free = open and (cap == 0 or taken < cap)
  if not only_score then repack(app, node, taken - tonumber(s[17])) end
  local score = free and score_of(app, node, taken, s[11], s[12]) or ''
  local changed = {}
  if score ~= s[13] then
    set_free(app, labels, key, score)
    changed[#changed + 1] = 'free'; changed[#changed + 1] = score
  end
  local looked_on = ready and s[16] or ''
  if looked_on ~= s[14] then
    if ready then call('ZADD', P .. 'ready:' .. app, s[16], key) else call('ZREM', P .. 'ready:' .. app, key) end
    changed[#changed + 1] = 'ready'; changed[#changed + 1] = looked_on
  end
  local adds = { ready and 1 or 0, ready and cap or 0, ready and cap == 0 and 1 or 0, ready and taken or 0,
    ready and aside and 1 or 0 }
  local tot = table.concat(adds, ':')
  if tot ~= s[15] then
    add_totals(app, s[15], adds)
    changed[#changed + 1] = 'tot'; changed[#changed + 1] = tot
  end
  if taken ~= tonumber(s[17]) then changed[#changed + 1] = 'taken'; changed[#changed + 1] = taken end
  if #changed > 0 then call('HSET', S, unpack(changed)) end
  return app, open, free
end

-- -- tickets ---------------------------------------------------------------------------------------

local function enqueue(session)
  local t = call('HMGET', P .. 't:' .. session, 'lane', 'rank', 'app', 'arr')
  call('HSET', P .. 't:' .. session, 'st', 'W', 'k', '', 'dl', 0)
  call('ZADD', P .. 'lane:' .. t[1], t[2], session)
  call('SADD', P .. 'lanes', t[1])
  call('SADD', P .. 'apps', t[3])
  call('ZADD', P .. 'wait:' .. t[3], t[4], session)
end

local function dequeue(session, lane, app)
  call('ZREM', P .. 'lane:' .. lane, session)
  call('ZREM', P .. 'wait:' .. app, session)
  if call('EXISTS', P .. 'lane:' .. lane) == 0 then call('SREM', P .. 'lanes', lane) end
end

-- The streamers that a ticket could not reach lately: `until US key`, one after the other.
local function avoided(text)
  if not text or text == '' then return nil end
  local keys
  for entry in text:gmatch('[^' .. RS .. ']+') do
    local till, key = entry:match('^(%d+)' .. US .. '(.*)$')
    if tonumber(till) > now then keys = keys or {}; keys[key] = true end
  end
  return keys
end

local function best(app, selector, avoid)
  for _, key in ipairs(call('ZRANGE', index(app, selector), 0, avoid and MAX_AVOIDED or 0)) do
    if not (avoid and avoid[key]) then return key end
  end
end

-- Promises a slot, or leave to look on. `state` is M when the ticket's replica must still hear of it, C when it asked.
local function assign(session, key, state, shared, arrival)
  local T, S = P .. 't:' .. session, P .. 's:' .. key
  local stock = call('HGET', S, 'stk') == '1'
  local deadline = now + (state == 'M' and CLAIM or arrival or ARRIVAL)
  if state == 'C' and stock and not arrival then deadline = 0 end
  call('HSET', T, 'st', state, 'k', key, 'sh', shared and 1 or 0, 'since', now, 'dl', deadline)
  if deadline > 0 then call('ZADD', DUE, deadline, 'l:' .. session) end
  call('SADD', P .. 'sl:' .. key, session)
  call('HINCRBY', S, shared and 'shd' or 'live', 1)
  if not shared then call('HSET', S, 'used', now) end
  if state == 'M' then
    local replica = call('HGET', T, 'rp')
    call('RPUSH', P .. 'new:' .. replica, session)
    woken[replica] = true
  end
  refresh(key)
end

local function unassign(session, key, shared)
  call('ZREM', DUE, 'l:' .. session)
  if call('SREM', P .. 'sl:' .. key, session) == 1 and call('EXISTS', P .. 's:' .. key) == 1 then
    call('HINCRBY', P .. 's:' .. key, shared and 'shd' or 'live', -1)
  end
end

local function named(app, name)
  if call('EXISTS', P .. 's:' .. name) == 1 then return { name } end
  return call('SMEMBERS', P .. 'ep:' .. app .. US .. name)
end

-- Finds a streamer for a ticket; returns its key and whether the player only looks on.
local function choose(app, selector, wants, may_share, avoid)
  if wants == '' then return best(app, selector, avoid), false end
  local shareable
  if wants == '*' then
    local key = best(app, '', avoid)
    if key then return key, false end
    for _, each in ipairs(call('ZRANGE', P .. 'ready:' .. app, 0, MAX_AVOIDED)) do
      local aside = tonumber(call('HGET', P .. 's:' .. each, 'asd'))
      if aside <= now and not (avoid and avoid[each]) then shareable = each; break end
    end
  else
    for _, key in ipairs(named(app, wants)) do
      local of, open, free = refresh(key)
      if open and of == app and not (avoid and avoid[key]) then
        if free then return key, false end
        shareable = shareable or key
      end
    end
  end
  if may_share and shareable then return shareable, true end
end

-- Gives a waiting ticket a streamer if there is one for it.
local function place(session, state)
  local t = call('HMGET', P .. 't:' .. session, 'app', 'sel', 'want', 'share', 'av', 'lane')
  local key, shared = choose(t[1], t[2], t[3], t[4] == '1', avoided(t[5]))
  if not key then return false end
  dequeue(session, t[6], t[1])
  assign(session, key, state, shared)
  return true
end

-- Gives a streamer that may have become free to those who have waited longest for what it is.
local function serve(key)
  if young or call('EXISTS', P .. 'lanes') == 0 then refresh(key); return end
  local s = call('HMGET', P .. 's:' .. key, 'app', 'lab', 'ep')
  if not s[1] then return end
  local app = s[1]
  local lanes = { app .. US .. '=' .. key, app .. US .. '=' .. s[3], app .. US .. '=*' }
  for _, selector in ipairs(served(app, s[2])) do lanes[#lanes + 1] = app .. US .. selector end
  for _ = 1, 64 do
    local _, open, free = refresh(key)
    if not open then return end
    local chosen, rank, shared
    for i = 1, free and #lanes or 3 do
      local heads = call('ZRANGE', P .. 'lane:' .. lanes[i], 0, 7, 'WITHSCORES')
      for j = 1, #heads, 2 do
        local t = call('HMGET', P .. 't:' .. heads[j], 'av', 'share')
        local avoid = avoided(t[1])
        if not (avoid and avoid[key]) and (free or t[2] == '1') then
          local its = tonumber(heads[j + 1])
          if not rank or its < rank then chosen, rank, shared = heads[j], its, not free end
          break
        end
      end
    end
    if not chosen then return end
    dequeue(chosen, call('HGET', P .. 't:' .. chosen, 'lane'), app)
    assign(chosen, key, 'M', shared)
  end
end

-- Places whoever can be placed, oldest first over all lanes: after a time in which nothing was matched.
local function catch_up()
  if young then return end
  local heads = {}
  for _, lane in ipairs(call('SRANDMEMBER', P .. 'lanes', 64)) do heads[lane] = 0 end
  for _ = 1, 256 do
    local lane, first, rank
    for each, from in pairs(heads) do
      local head = call('ZRANGE', P .. 'lane:' .. each, from, from, 'WITHSCORES')
      if not head[1] or from >= 8 then heads[each] = nil
      elseif not rank or tonumber(head[2]) < rank then lane, first, rank = each, head[1], tonumber(head[2]) end
    end
    if not lane then return end
    if not place(first, 'M') then heads[lane] = heads[lane] + 1 end
  end
  call('ZADD', DUE, now, 'e:')
end

-- -- what ends -------------------------------------------------------------------------------------

local function forget(session, replica)
  call('SREM', P .. 'rt:' .. replica, session)
  call('DEL', P .. 't:' .. session)
end

local function count_end(app)
  call('LPUSH', P .. 'ends:' .. app, now)
  call('LTRIM', P .. 'ends:' .. app, 0, 99)
  call('EXPIRE', P .. 'ends:' .. app, 1800)
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
  if call('HGET', P .. 't:' .. session, 'rp') == '' then forget(session, '') else enqueue(session) end
end

-- Takes a session out, whatever its state. A session that a server holds is that server's to end.
local function leave(session)
  local t = call('HMGET', P .. 't:' .. session, 'st', 'lane', 'app', 'k', 'sh', 'rp')
  if not t[1] then return end
  if t[1] == 'W' then
    dequeue(session, t[2], t[3])
    forget(session, t[6])
  elseif t[1] == 'H' then
    call('SREM', P .. 'rt:' .. t[6], session)
  else
    unassign(session, t[4], t[5] == '1')
    if t[1] == 'C' and call('HGET', P .. 's:' .. t[4], 'stk') == '1' then count_end(t[3]) end
    forget(session, t[6])
    serve(t[4])
  end
end

local function drop_streamer(key)
  local S = P .. 's:' .. key
  local s = call('HMGET', S, 'app', 'lab', 'ep', 'node', 'tot', 'taken')
  if not s[1] then return end
  set_free(s[1], s[2], key, '')
  call('ZREM', P .. 'ready:' .. s[1], key)
  call('SREM', P .. 'ep:' .. s[1] .. US .. s[3], key)
  call('SREM', P .. 'node:' .. s[1] .. US .. s[4], key)
  add_totals(s[1], s[5], { 0, 0, 0, 0, 0 })
  repack(s[1], s[4], -tonumber(s[6]))
  call('ZREM', DUE, 'a:' .. key)
  for _, session in ipairs(call('SMEMBERS', P .. 'sl:' .. key)) do
    back(session, key, call('HGET', P .. 't:' .. session, 'sh') == '1')
  end
  for _, session in ipairs(call('SMEMBERS', P .. 'sh:' .. key)) do
    finish(session)
  end
  call('SREM', P .. 'all', key)
  call('DEL', S, P .. 'sl:' .. key, P .. 'sh:' .. key)
end

local function drop_server(server)
  local v = call('HMGET', P .. 'v:' .. server, 'keys', 'owner')
  if not v[1] then return end
  for _, key in ipairs(cjson.decode(v[1])) do drop_streamer(key) end
  call('SREM', P .. 'rv:' .. v[2], server)
  call('ZREM', DUE, 'v:' .. server)
  call('DEL', P .. 'v:' .. server, P .. 'end:' .. server)
  catch_up()
end

-- A replica is gone: what it held goes too, a part at a time so that no call takes long.
local function drop_replica(replica)
  for _, server in ipairs(call('SPOP', P .. 'rv:' .. replica, 100)) do drop_server(server) end
  for _, session in ipairs(call('SRANDMEMBER', P .. 'rt:' .. replica, 500)) do
    leave(session)
    call('SREM', P .. 'rt:' .. replica, session)
  end
  call('DEL', P .. 'new:' .. replica, P .. 'end:' .. replica)
  if call('EXISTS', P .. 'rt:' .. replica, P .. 'rv:' .. replica) > 0 then call('ZADD', DUE, now, 'r:' .. replica) end
end

local function lapse(session)
  local t = call('HMGET', P .. 't:' .. session, 'st', 'k', 'sh')
  if t[1] == 'M' or t[1] == 'C' then
    back(session, t[2], t[3] == '1')
    serve(t[2])
    if not young and call('HGET', P .. 't:' .. session, 'st') == 'W' then place(session, 'M') end
  end
end

local function expire()
  local epoch = call('HGET', P .. 'epoch', 'until')
  if not epoch then begin_epoch('', FRESH); young = true else young = now < tonumber(epoch) end
  for _, what in ipairs(call('ZRANGEBYSCORE', DUE, '-inf', now, 'LIMIT', 0, 32)) do
    local kind, name = what:sub(1, 2), what:sub(3)
    call('ZREM', DUE, what)
    if kind == 'l:' then lapse(name)
    elseif kind == 'v:' then drop_server(name)
    elseif kind == 'r:' then drop_replica(name)
    elseif kind == 'a:' then serve(name)
    elseif kind == 'e:' then catch_up() end
  end
end

local function lease(session)
  local t = call('HMGET', P .. 't:' .. session, 'rp', 'k', 'st', 'sh', 'since', 'arr', 'dl')
  return { session, t[1], call('HGET', P .. 's:' .. t[2], 'rep'), t[3], t[4], t[5], t[6], t[7] }
end

local function placed(session)
  local t = call('HMGET', P .. 't:' .. session, 'st', 'arr')
  if not t[1] then return false end
  if t[1] == 'W' then return { session, t[2], call('HGET', P .. 't:' .. session, 'tk') } end
  return lease(session)
end

-- The replica of a matched session has heard of it: its player is on its way.
local function claim(session)
  local T = P .. 't:' .. session
  local deadline = now + ARRIVAL
  if call('HGET', P .. 's:' .. call('HGET', T, 'k'), 'stk') == '1' then
    deadline = 0
    call('ZREM', DUE, 'l:' .. session)
  else
    call('ZADD', DUE, deadline, 'l:' .. session)
  end
  call('HSET', T, 'st', 'C', 'dl', deadline)
  return lease(session)
end

-- Ends every script: wakes those for whom something was matched.
local function answer(value)
  for replica in pairs(woken) do call('PUBLISH', P .. 'wake:' .. replica, '') end
  return value
end

expire()
