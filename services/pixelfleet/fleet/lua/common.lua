-- Stands before the scripts of this folder: the steps that changes of the fleet are made of. fleet/memory.py and what it
-- builds on have the same steps in Python; the contract tests hold the two together.
--
-- KEYS[1]  the prefix of all keys, with the hash tag: all of them live in one slot
-- ARGV[1]  the time in microseconds; empty for this server's clock, as everywhere but in tests
--
--   epoch              hash    id, since, until (matching begins then), run (the server process that it was seen on),
--                              last (the latest arrival)
--   due                zset    what lapses when: v:server, r:replica, l:session, a:streamer (set aside), p:app (unused),
--                              b:streamer (held back, but gone), e: (there is somebody to catch up with)
--   v:SERVER           hash    seq, fence, owner, digest, keys (json)
--   s:STREAMER         hash    one streamer: report as sent (rep), its facts, and what they add to indexes and totals
--   sl:STREAMER        set     sessions with a lease that the server has not reported
--   sh:STREAMER        set     sessions with a lease that the server has reported
--   t:SESSION          hash    a ticket, and its lease if it has one; st is W(aiting), M(atched), C(laimed), H(eld)
--   replicas           set     the replicas that are alive
--   rt:REPLICA         set     sessions of a replica;  new:REPLICA  list  those that were matched and not yet fetched
--   rv:REPLICA         set     stock servers whose link a replica holds;  said:REPLICA  set  while it restores
--   lane:LANE          zset    waiting sessions by rank;  lanes  zset  the lanes that are not empty, by the last look
--   wait:APP           zset    waiting sessions by arrival
--   free:APP|SELECTOR  zset    streamers with a free slot, in the order in which they are taken
--   ready:APP          zset    streamers that are ready and not draining, by onlookers
--   sel:APP            zset    choices of labels that players have asked for, by last use
--   all:APP            set     its streamers;  ep:APP|ENDPOINT  set  those of that name
--   node:APP|NODE      set     streamers of that machine;  busy:APP  hash  used slots by machine
--   tot:APP, ends:APP, apps, policies, back (streamers that an operator holds back), end:OWNER (sessions to end)
--
-- What has no owner of its own goes when its app has been unused for some time (p:), or has a TTL.
local US, RS = '\31', '\30'
local LANES_AT_ONCE, PLACED_AT_ONCE, SERVED_AT_ONCE = 64, 256, 64
-- What follows belongs to one call: where these steps stay from call to call, begin() makes it anew.
local P, DUE, call, now
local woken, policies, selectors, returned
-- Set by expire(): whether nothing is matched yet, since when it is, the latest arrival, and whether somebody waits who
-- would be served if this call were allowed to take longer.
local young, matching, last, behind

local function begin(keys, words)
  P, call = keys[1], redis.call
  DUE = P .. 'due'
  if words[1] == '' then
    local t = call('TIME')
    now = t[1] * 1000000 + t[2]
  else
    now = tonumber(words[1])
  end
  woken, policies, selectors, returned = {}, {}, {}, {}
  young, matching, last, behind = false, 0, 0, false
end

-- Numbers as Redis writes them: Lua's own tostring keeps 14 digits only.
local function int(n) return string.format('%.0f', n) end

local function begin_epoch(run, hold)
  matching = now + hold
  call('HSET', P .. 'epoch', 'id', int(now), 'since', now, 'until', matching, 'run', run)
  call('ZADD', DUE, matching, 'e:')
end

local function stays_behind()
  behind = true
  call('ZADD', DUE, now, 'e:')
end

-- -- apps and choices of labels ----------------------------------------------------------------------

local function index(app, selector) return P .. 'free:' .. app .. US .. selector end

local function know_app(app)
  if call('SADD', P .. 'apps', app) == 1 then call('ZADD', DUE, now + UNUSED, 'p:' .. app) end
end

local function drop_app(app)
  if call('EXISTS', P .. 'all:' .. app, P .. 'wait:' .. app) > 0 then
    call('ZADD', DUE, now + UNUSED, 'p:' .. app)
    return
  end
  for _, selector in ipairs(call('ZRANGE', P .. 'sel:' .. app, 0, -1)) do call('DEL', index(app, selector)) end
  call('DEL', P .. 'sel:' .. app, P .. 'tot:' .. app, P .. 'busy:' .. app, P .. 'ends:' .. app)
  call('SREM', P .. 'apps', app)
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

-- Begins to keep the free streamers that serve a choice of labels; the least used choice that nobody waits for makes
-- room for it. Returns false when there is no room; who has been taken in before gets it all the same.
local function know_choice(app, selector, taken_in)
  if selector == '' then return true end
  local known = P .. 'sel:' .. app
  local used = call('ZSCORE', known, selector)
  if used then
    if now - used > 1000000 then call('ZADD', known, now, selector) end
    return true
  end
  if call('ZCARD', known) >= MAX_SELECTORS and not taken_in then
    local dropped
    for _, old in ipairs(call('ZRANGE', known, 0, -1)) do
      if call('EXISTS', P .. 'lane:' .. app .. US .. old) == 0 then dropped = old; break end
    end
    if not dropped then return false end
    call('ZREM', known, dropped)
    call('DEL', index(app, dropped))
  end
  know_app(app)
  call('ZADD', known, now, selector)
  selectors[app] = nil
  for _, key in ipairs(call('ZRANGE', index(app, ''), 0, -1)) do
    local s = call('HMGET', P .. 's:' .. key, 'lab', 'free')
    if serves(s[1], selector) then call('ZADD', index(app, selector), s[2], key) end
  end
  return true
end

-- -- streamers -------------------------------------------------------------------------------------

local function set_free(app, labels, key, score)
  for _, selector in ipairs(served(app, labels)) do
    if score == '' then call('ZREM', index(app, selector), key)
    else call('ZADD', index(app, selector), score, key) end
  end
end

local function score_of(app, node, taken, used, seen)
  local chosen = policy(app)
  if chosen == 'oldest' then return seen end
  -- One that has just come, or come back, is used last.
  if chosen == 'spread' then return tonumber(used) > tonumber(seen) and used or seen end
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

-- The slots in use on a machine have changed: its free streamers, but for one that is being seen to, move in the order
-- of the `pack` policy.
local function repack(app, node, step, but)
  if node == '' or step == 0 then return end
  local busy = call('HINCRBY', P .. 'busy:' .. app, node, step)
  if busy == 0 then call('HDEL', P .. 'busy:' .. app, node) end
  if policy(app) ~= 'pack' then return end
  for _, key in ipairs(call('SMEMBERS', P .. 'node:' .. app .. US .. node)) do
    local s = key ~= but and call('HMGET', P .. 's:' .. key, 'free', 'lab') or {}
    if s[1] and s[1] ~= '' then
      set_free(app, s[2], key, int(-busy))
      call('HSET', P .. 's:' .. key, 'free', int(-busy))
    end
  end
end

-- Brings what follows from a streamer's facts up to date, with one lease more or less if `counted` names the count.
-- Returns its app, whether it is open (ready, not draining, not set aside), whether a slot is free, whether it is stock,
-- its labels and its endpoint id; nothing when it is not known.
local function refresh(key, counted, step)
  local S = P .. 's:' .. key
  local s = call('HMGET', S, 'app', 'cap', 'ok', 'n', 'live', 'stk', 'hb', 'asd', 'lab', 'node', 'used', 'seen',
    'free', 'ready', 'tot', 'shd', 'taken', 'on', 'ep')
  local app = s[1]
  if not app then return end
  local changed = {}
  local function change(name, value) changed[#changed + 1] = name; changed[#changed + 1] = value end
  local cap, n, live, shd, used = tonumber(s[2]), tonumber(s[4]), tonumber(s[5]), tonumber(s[16]), s[11]
  local labels, node, stock = s[9], s[10], s[6] == '1'
  if counted == 'live' then
    live = live + step
    change('live', live)
    if step > 0 then used = int(now); change('used', used) end
  elseif counted == 'shd' then
    shd = shd + step
    change('shd', shd)
  end
  local taken = stock and math.max(n, live) or n + live
  local ready = s[3] == '1' and s[7] ~= '1'
  local aside = tonumber(s[8]) > now
  local open = ready and not aside
  local free = open and (cap == 0 or taken < cap)
  if taken ~= tonumber(s[17]) then
    repack(app, node, taken - tonumber(s[17]), key)
    change('taken', taken)
  end
  local score = free and score_of(app, node, taken, used, s[12]) or ''
  if score ~= s[13] then
    set_free(app, labels, key, score)
    change('free', score)
  end
  local looked_on = ready and int(shd + tonumber(s[18])) or ''
  if looked_on ~= s[14] then
    if ready then call('ZADD', P .. 'ready:' .. app, looked_on, key) else call('ZREM', P .. 'ready:' .. app, key) end
    change('ready', looked_on)
  end
  local adds = { ready and 1 or 0, ready and cap or 0, ready and cap == 0 and 1 or 0, ready and taken or 0,
    ready and aside and 1 or 0 }
  local tot = table.concat(adds, ':')
  if tot ~= s[15] then
    add_totals(app, s[15], adds)
    change('tot', tot)
  end
  if #changed > 0 then call('HSET', S, unpack(changed)) end
  return app, open, free, stock, labels, s[19]
end

-- -- tickets ---------------------------------------------------------------------------------------

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

-- The streamer of a session under way, if that is what is wanted; else what is wanted.
local function meant(app, wants)
  if wants == '' or wants == '*' then return wants end
  local t = call('HMGET', P .. 't:' .. wants, 'k', 'app')
  return t[1] and t[1] ~= '' and t[2] == app and t[1] or wants
end

local function named(app, wants)
  local name = meant(app, wants)
  if call('EXISTS', P .. 's:' .. name) == 1 then return { name } end
  local keys = call('SMEMBERS', P .. 'ep:' .. app .. US .. name)
  table.sort(keys)
  return keys
end

-- Finds a streamer for a ticket; returns its key and whether the player only looks on.
-- `share` is '0', '1' when it may look on, '2' when it only looks on.
local function choose(app, selector, wants, share, avoid)
  local plays, may_share = share ~= '2', share ~= '0'
  if wants == '' then return best(app, selector, avoid), false end
  local shareable
  if wants == '*' then
    local key = plays and best(app, '', avoid)
    if key then return key, false end
    for _, each in ipairs(may_share and call('ZRANGE', P .. 'ready:' .. app, 0, LOOK_AHEAD - 1) or {}) do
      local aside = tonumber(call('HGET', P .. 's:' .. each, 'asd'))
      if aside <= now and not (avoid and avoid[each]) then shareable = each; break end
    end
  else
    for _, key in ipairs(named(app, wants)) do
      local of, open, free = refresh(key)
      if open and of == app and not (avoid and avoid[key]) then
        if free and plays then return key, false end
        shareable = shareable or key
      end
    end
  end
  if may_share and shareable then return shareable, true end
end

-- Gives a waiting ticket a streamer if there is one for it. Returns whether there was, and else whether there is none
-- for anybody in its lane.
local function place(session, state)
  local t = call('HMGET', P .. 't:' .. session, 'st', 'app', 'sel', 'want', 'share', 'av', 'lane', 'rp')
  if t[1] ~= 'W' then return false, false end
  local avoid = avoided(t[6])
  local key, shared = choose(t[2], t[3], t[4], t[5], avoid)
  if not key then return false, t[4] == '' and not avoid end
  dequeue(session, t[7], t[2])
  assign(session, key, state, shared, t[8])
  return true
end

-- Finds the first of a lane whom a streamer serves; returns the session, its rank, its replica and whether it looks on.
local function first_for(lane, key, free)
  local from, to = 0, 0
  while from < LOOK_AHEAD do
    local heads = call('ZRANGE', P .. 'lane:' .. lane, from, to, 'WITHSCORES')
    for j = 1, #heads, 2 do
      local t = call('HMGET', P .. 't:' .. heads[j], 'av', 'share', 'rp')
      local avoid = avoided(t[1])
      if not (avoid and avoid[key]) and (free or t[2] ~= '0') then
        return heads[j], tonumber(heads[j + 1]), t[3], not free or t[2] == '2'
      end
    end
    if #heads < 2 * (to - from + 1) then return end
    from, to = to + 1, math.min(to * 2 + 1, LOOK_AHEAD - 1)
  end
end

-- Gives a streamer that may have become free to those who have waited longest for what it is.
local function serve(key)
  local app, open, free, _, labels, endpoint = refresh(key)
  if not open or young or call('EXISTS', P .. 'lanes') == 0 then return end
  local lanes = { lane_of(app, '', key), lane_of(app, '', endpoint), lane_of(app, '', '*') }
  for _, selector in ipairs(served(app, labels)) do lanes[#lanes + 1] = lane_of(app, selector, '') end
  for _ = 1, SERVED_AT_ONCE do
    local chosen, rank, replica, lane, shared
    for i = 1, free and #lanes or 3 do
      local first, its, whose, looks_on = first_for(lanes[i], key, free)
      if first and (not rank or its < rank or (its == rank and first < chosen)) then
        chosen, rank, replica, lane, shared = first, its, whose, lanes[i], looks_on
      end
    end
    if not chosen then return end
    dequeue(chosen, lane, app)
    _, open, free = assign(chosen, key, 'M', shared, replica)
  end
  stays_behind()
end

-- Places whoever can be placed, oldest first over many lanes: after a time in which nothing was matched, for those who
-- avoid a streamer no longer, and when a call before would have taken too long.
local function catch_up()
  if young then return end
  local lanes = call('ZRANGE', P .. 'lanes', 0, LANES_AT_ONCE - 1)
  local heads = {}
  local function look(lane, at)
    local head = at < LOOK_AHEAD and call('ZRANGE', P .. 'lane:' .. lane, at, at, 'WITHSCORES') or {}
    heads[lane] = head[1] and { session = head[1], rank = tonumber(head[2]), at = at }
  end
  for _, lane in ipairs(lanes) do look(lane, 0) end
  for _ = 1, PLACED_AT_ONCE do
    local lane, first
    for each, head in pairs(heads) do
      if head and (not first or head.rank < first.rank or (head.rank == first.rank and head.session < first.session)) then
        lane, first = each, head
      end
    end
    if not lane then
      if #lanes < LANES_AT_ONCE then return end
      for _, each in ipairs(lanes) do call('ZADD', P .. 'lanes', 'XX', now, each) end
      local oldest = call('ZRANGE', P .. 'lanes', 0, 0, 'WITHSCORES')
      if oldest[1] and tonumber(oldest[2]) < matching then stays_behind() end
      return
    end
    local placed, hopeless = place(first.session, 'M')
    if placed then look(lane, first.at)
    elseif hopeless then heads[lane] = nil
    else look(lane, first.at + 1) end
  end
  stays_behind()
end

-- -- what ends -------------------------------------------------------------------------------------

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

-- -- answers ---------------------------------------------------------------------------------------

local function lease(session)
  local t = call('HMGET', P .. 't:' .. session, 'rp', 'k', 'st', 'sh', 'since', 'arr', 'dl', 'rep')
  return { session, t[1], call('HGET', P .. 's:' .. t[2], 'rep') or t[8], t[3], t[4], t[5], t[6], t[7] }
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
end

-- What a session has, for the replica that asks: a place, a lease, which is claimed by that, or false.
local function placed(session)
  local t = call('HMGET', P .. 't:' .. session, 'st', 'arr', 'tk', 'want', 'rp')
  if not t[1] then return false end
  if t[1] == 'W' then return { session, t[2], t[3], t[4], t[5] } end
  if t[1] == 'M' then heard(session, t[5]); claim(session) end
  return lease(session)
end

-- Ends every script: wakes those for whom something was matched.
local function answer(value)
  for replica, matches in pairs(woken) do
    if matches > 0 then call('PUBLISH', P .. 'wake:' .. replica, '') end
  end
  return value
end
