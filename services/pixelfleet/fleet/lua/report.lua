-- Replaces what is known of one server's streamers.
-- ARGV[2] server  [3] sequence  [4] owner, or empty  [5] fence  [6] digest of what follows
-- ARGV[7] ended sessions (json)  [8] keys of all its streamers (json), then for each of them eleven:
--   endpoint, app, capacity, 1 if ready and not draining, sessions (json), onlookers (json), labels, node,
--   1 if stock, players, the whole report
-- Returns {1 if taken, fence, sessions to end...}
expire()
local server, sequence, owner, fence, digest = ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5]), ARGV[6]
local V = P .. 'v:' .. server
local v = call('HMGET', V, 'seq', 'fence', 'owner', 'digest', 'keys')
local known = v[1] and { seq = tonumber(v[1]), fence = tonumber(v[2]) }

if owner ~= '' and fence == 0 then
  fence = known and math.max(now, known.fence + 1) or now
elseif known and (fence < known.fence or (fence == known.fence and sequence <= known.seq)) then
  return answer({ 0, int(known.fence) })
end
if known and v[3] ~= owner and v[3] ~= '' then call('SREM', P .. 'rv:' .. v[3], server) end
call('HSET', V, 'seq', int(sequence), 'fence', int(fence), 'owner', owner)
if owner == '' then
  call('ZADD', DUE, now + EXPIRY, 'v:' .. server)
else
  call('ZREM', DUE, 'v:' .. server)
  call('SADD', P .. 'rv:' .. owner, server)
  know_replica(owner)
end

local freed = {}

-- A session that the server has is held from now on. Returns whether it is known, and whether that is new.
local function held_by(key, name, shared)
  local T = P .. 't:' .. name
  local t = call('HMGET', T, 'st', 'k', 'sh', 'rp', 'lane', 'app')
  if not t[1] then return false, false end
  local same = t[1] == 'H' and t[2] == key
  if same and (t[3] == '1') == shared then return true, false end
  if t[1] == 'W' then
    dequeue(name, t[5], t[6])
  elseif t[1] == 'H' then
    if not same then call('SREM', P .. 'sh:' .. t[2], name) end
  else
    unassign(name, t[2], t[3] == '1')
    if t[2] ~= key then freed[#freed + 1] = t[2] end
  end
  call('HSET', T, 'st', 'H', 'k', key, 'dl', 0, 'sh', shared and 1 or 0)
  if t[1] == 'W' then call('HSET', T, 'since', now) end
  call('SADD', P .. 'sh:' .. key, name)
  call('SREM', P .. 'rt:' .. t[4], name)
  return true, not same
end

-- A page that was offered a streamer and dialled it comes as a player that nobody announced: as many leases of pages as
-- such players have come have done their work, the first ones first.
local function absorb_pages(key, strangers)
  local pages = {}
  for _, name in ipairs(strangers > 0 and call('SMEMBERS', P .. 'sl:' .. key) or {}) do
    local t = call('HMGET', P .. 't:' .. name, 'rp', 'arr')
    if t[1] == '' then pages[#pages + 1] = { name, tonumber(t[2]) } end
  end
  table.sort(pages, function(one, other) return one[2] < other[2] end)
  for i = 1, math.min(strangers, #pages) do
    unassign(pages[i][1], key, call('HGET', P .. 't:' .. pages[i][1], 'sh') == '1')
    forget(pages[i][1], '')
  end
end

local function create(key, endpoint, app, labels, node)
  local live, shared = 0, 0
  for _, name in ipairs(call('SMEMBERS', P .. 'sl:' .. key)) do
    if call('HGET', P .. 't:' .. name, 'sh') == '1' then shared = shared + 1 else live = live + 1 end
  end
  local held_back = call('SISMEMBER', P .. 'back', key)
  if held_back == 1 then call('ZREM', DUE, 'b:' .. key) end
  call('HSET', P .. 's:' .. key, 'srv', server, 'app', app, 'ep', endpoint, 'lab', labels, 'node', node, 'live', live,
    'shd', shared, 'asd', 0, 'fails', 0, 'fby', '', 'seen', now, 'used', 0, 'free', '', 'ready', '', 'tot', '',
    'taken', 0, 'hb', held_back)
  know_app(app)
  call('SADD', P .. 'all:' .. app, key)
  call('SADD', P .. 'ep:' .. app .. US .. endpoint, key)
  call('SADD', P .. 'node:' .. app .. US .. node, key)
end

local function take(key, i)
  local endpoint, app, capacity, ok, labels, node, stock, players =
    ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 6], ARGV[i + 7], ARGV[i + 8], tonumber(ARGV[i + 9])
  local S = P .. 's:' .. key
  local s = call('HMGET', S, 'app', 'lab', 'node', 'ses', 'n')
  if s[1] and (s[1] ~= app or s[2] ~= labels or s[3] ~= node) then
    drop_streamer(key)
    s = {}
  end
  if not s[1] then create(key, endpoint, app, labels, node) end
  local sessions, onlookers = cjson.decode(ARGV[i + 4]), cjson.decode(ARGV[i + 5])
  local there, before = {}, {}
  for _, name in ipairs(sessions) do there[name] = true end
  for _, name in ipairs(onlookers) do there[name] = true end
  for _, name in ipairs(s[4] and cjson.decode(s[4]) or {}) do before[name] = true end
  for _, name in ipairs(call('SMEMBERS', P .. 'sh:' .. key)) do
    if not there[name] then call('SREM', P .. 'sh:' .. key, name); finish(name) end
  end
  local strangers, arrived = stock == '1' and players - tonumber(s[5] or 0) or 0, false
  for _, name in ipairs(sessions) do
    local is_known, is_new = held_by(key, name, false)
    if not is_known and not before[name] then strangers = strangers + 1 end
    arrived = arrived or is_new
  end
  for _, name in ipairs(onlookers) do held_by(key, name, true) end
  absorb_pages(key, strangers)
  call('HSET', S, 'cap', capacity, 'ok', ok, 'n', stock == '1' and players or #sessions, 'stk', stock,
    'ses', ARGV[i + 4], 'onl', ARGV[i + 5], 'on', #onlookers, 'rep', ARGV[i + 10])
  if arrived then call('HSET', S, 'fails', 0, 'fby', '') end
end

-- Sessions that came and went between two reports.
for _, name in ipairs(cjson.decode(ARGV[7])) do
  local t = call('HMGET', P .. 't:' .. name, 'st', 'k', 'sh')
  if (t[1] == 'M' or t[1] == 'C') and call('HGET', P .. 's:' .. t[2], 'srv') == server then
    unassign(name, t[2], t[3] == '1')
    finish(name)
    freed[#freed + 1] = t[2]
  end
end

if not (known and v[4] == digest) then
  local keys = cjson.decode(ARGV[8])
  local stays = {}
  for _, key in ipairs(keys) do stays[key] = true end
  for _, key in ipairs(known and v[5] and cjson.decode(v[5]) or {}) do
    if not stays[key] then drop_streamer(key) end
  end
  for i, key in ipairs(keys) do take(key, 9 + (i - 1) * 11) end
  call('HSET', V, 'digest', digest, 'keys', ARGV[8])
  for _, key in ipairs(keys) do serve(key) end
end
for _, key in ipairs(freed) do serve(key) end
settle()

local ends = owner == '' and call('SMEMBERS', P .. 'end:' .. server) or {}
if #ends > 0 then call('DEL', P .. 'end:' .. server) end
return answer({ 1, int(fence), unpack(ends) })
