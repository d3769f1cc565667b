-- Replaces what is known of one server's streamers.
-- ARGV[2] server  [3] sequence  [4] owner, or empty  [5] fence  [6] digest of what follows
-- ARGV[7] ended sessions (json)  [8] keys of all its streamers (json), then for each of them eleven:
--   endpoint, app, capacity, 1 if ready and not draining, sessions (json), onlookers (json), labels, node,
--   1 if stock, players, the whole report
-- Returns {1 if taken, fence, sessions to end...}
expire()
local server, sequence, owner, fence, digest = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local V = P .. 'v:' .. server
local v = call('HMGET', V, 'seq', 'fence', 'owner', 'digest', 'keys', 'end')
local known, last_owner = v[1] and true, v[3]

if owner ~= '' and fence == '0' then
  fence = known and int(math.max(now, v[2] + 1)) or now_text
elseif known then
  local newer = fence - v[2]
  if newer < 0 or (newer == 0 and sequence - v[1] <= 0) then return answer({ 0, v[2] }) end
end
if owner == '' then
  if known and last_owner ~= '' then call('SREM', P .. 'rv:' .. last_owner, server) end
  call('ZADD', DUE, int(now + EXPIRY), 'v:' .. server)
elseif not known or last_owner ~= owner then  -- else it is among the servers of that replica, which is known by that
  if known then
    if last_owner == '' then call('ZREM', DUE, 'v:' .. server)
    else call('SREM', P .. 'rv:' .. last_owner, server) end
  end
  call('SADD', P .. 'rv:' .. owner, server)
  know_replica(owner)
end

local freed = {}

local NONE = {}
local function list(json) return json and json ~= '[]' and cjson.decode(json) or NONE end

-- A session that the server has is held from now on. Returns whether it is known, and whether that is new.
local function held_by(key, name, shared)
  local T = P .. 't:' .. name
  local t = call('HMGET', T, 'st', 'k', 'sh', 'rp', 'lane', 'app', 'dl')
  local state, before = t[1], t[2]
  if not state then return false, false end
  local same = state == 'H' and before == key
  if same and (t[3] == '1') == shared then return true, false end
  if state == 'W' then
    dequeue(name, t[5], t[6])
    call('HSET', T, 'since', now_text)
  elseif state == 'H' then
    if not same then call('SREM', P .. 'sh:' .. before, name) end
  else
    unassign(name, before, t[3] == '1', t[7])
    if before ~= key then freed[#freed + 1] = before end
  end
  call('HSET', T, 'st', 'H', 'k', key, 'dl', '0', 'sh', shared and '1' or '0')
  call('SADD', P .. 'sh:' .. key, name)
  if state ~= 'H' then call('SREM', P .. 'rt:' .. t[4], name) end
  return true, not same
end

-- A page that was offered a streamer and dialled it comes as a player that nobody announced: as many leases of pages as
-- such players have come have done their work, the first ones first.
local function absorb_pages(key, strangers)
  local pages = {}
  for _, name in ipairs(strangers > 0 and call('SMEMBERS', P .. 'sl:' .. key) or {}) do
    local t = call('HMGET', P .. 't:' .. name, 'rp', 'arr', 'sh', 'dl')
    if t[1] == '' then pages[#pages + 1] = { name, tonumber(t[2]), t[3] == '1', t[4] } end
  end
  table.sort(pages, function(one, other) return one[2] < other[2] end)
  for i = 1, math.min(strangers, #pages) do
    local name, _, shared, deadline = unpack(pages[i])
    unassign(name, key, shared, deadline)
    forget(name, '')
  end
end

-- Begins to know a streamer; who was promised it already counts.
local function create(key, endpoint, app, labels, node)
  local live, shared = 0, 0
  for _, name in ipairs(call('SMEMBERS', P .. 'sl:' .. key)) do
    if call('HGET', P .. 't:' .. name, 'sh') == '1' then shared = shared + 1 else live = live + 1 end
  end
  local held_back = call('SISMEMBER', P .. 'back', key)
  if held_back == 1 then call('ZREM', DUE, 'b:' .. key) end
  local s = { key = key, was = {}, srv = server, app = app, ep = endpoint, lab = labels, node = node, live = int(live),
    shd = int(shared), asd = '0', fails = '0', fby = '', seen = now_text, used = '0', free = '', ready = '', tot = '',
    taken = '0', hb = int(held_back) }
  streamers[key] = s
  know_app(app)
  call('SADD', P .. 'all:' .. app, key)
  call('SADD', P .. 'ep:' .. app .. US .. endpoint, key)
  call('SADD', P .. 'node:' .. app .. US .. node, key)
  return s
end

local function take(key, i)
  local endpoint, app, capacity, ok, labels, node, stock, players =
    ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 6], ARGV[i + 7], ARGV[i + 8], ARGV[i + 9]
  local s = streamer(key, true)
  if s and (s.app ~= app or s.lab ~= labels or s.node ~= node) then
    drop_streamer(key)
    s = nil
  end
  if not s then s = create(key, endpoint, app, labels, node) end
  local sessions, onlookers, played = list(ARGV[i + 4]), list(ARGV[i + 5]), list(s.ses)
  local there, before = {}, {}
  for _, name in ipairs(sessions) do there[name] = true end
  for _, name in ipairs(onlookers) do there[name] = true end
  for _, name in ipairs(played) do before[name] = true end
  -- Whom it held are among those of its last report.
  for _, last_ones in ipairs({ played, list(s.onl) }) do
    for _, name in ipairs(last_ones) do
      if not there[name] and call('SREM', P .. 'sh:' .. key, name) == 1 then finish(name) end
    end
  end
  local strangers, arrived = stock == '1' and players - (s.n or 0) or 0, false
  for _, name in ipairs(sessions) do
    local is_known, is_new = held_by(key, name, false)
    if not is_known and not before[name] then strangers = strangers + 1 end
    arrived = arrived or is_new
  end
  for _, name in ipairs(onlookers) do held_by(key, name, true) end
  absorb_pages(key, strangers)
  s.cap = capacity
  s.ok = ok
  s.n = stock == '1' and players or int(#sessions)
  s.stk = stock
  s.ses = ARGV[i + 4]
  s.onl = ARGV[i + 5]
  s.on = int(#onlookers)
  s.rep = ARGV[i + 10]
  if arrived then
    s.fails = '0'
    s.fby = ''
  end
end

-- Sessions that came and went between two reports.
for _, name in ipairs(list(ARGV[7])) do
  local t = call('HMGET', P .. 't:' .. name, 'st', 'k', 'sh', 'rp', 'app', 'dl')
  local s = (t[1] == 'M' or t[1] == 'C') and streamer(t[2])
  if s and s.srv == server then
    unassign(name, t[2], t[3] == '1', t[6])
    if t[3] ~= '1' then count_end(t[5]) end
    forget(name, t[4])
    freed[#freed + 1] = t[2]
  end
end

if known and v[4] == digest then
  call('HSET', V, 'seq', sequence, 'fence', fence, 'owner', owner)
else
  local keys = list(ARGV[8])
  if known and v[5] ~= ARGV[8] then
    local stays = {}
    for _, key in ipairs(keys) do stays[key] = true end
    for _, key in ipairs(list(v[5])) do
      if not stays[key] then drop_streamer(key) end
    end
  end
  for i, key in ipairs(keys) do take(key, 9 + (i - 1) * 11) end
  call('HSET', V, 'seq', sequence, 'fence', fence, 'owner', owner, 'digest', digest, 'keys', ARGV[8])
  for _, key in ipairs(keys) do serve(key) end
end
for _, key in ipairs(freed) do serve(key) end
settle()

-- A heartbeat that says nothing new asks also where it is not told to: the release before does not tell.
local ends = {}
if owner == '' and (v[6] or v[4] == digest) then ends = call('SMEMBERS', P .. 'end:' .. server) end
if #ends > 0 then
  call('DEL', P .. 'end:' .. server)
  call('HDEL', V, 'end')
end
return answer({ 1, fence, unpack(ends) })
