-- Replaces the stored streamers of one server.
-- ARGV[2] server  [3] sequence  [4] owner, or empty  [5] fence  [6] digest of [9] and all that follows
-- ARGV[7] ended sessions (json)  [8] changed facts of sessions (json): for each its id and its facts as JSON text
-- ARGV[9] keys of all its streamers (json), then for each of them thirteen:
--   endpoint, app, capacity, 1 if ready and not draining, sessions (json), spectators (json), labels, node,
--   1 for a legacy server, players, the whole report, sessions that are away (json), sessions that are warned of a
--   limit (json)
-- Returns {1 if accepted, fence, sessions to end...}
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
elseif not known or last_owner ~= owner then  -- otherwise it is in that replica's set already
  if known then
    if last_owner == '' then call('ZREM', DUE, 'v:' .. server)
    else call('SREM', P .. 'rv:' .. last_owner, server) end
  end
  call('SADD', P .. 'rv:' .. owner, server)
  register_replica(owner)
end

local freed = {}

local NONE = {}
local function list(json) return json and json ~= '[]' and cjson.decode(json) or NONE end

if kept_records then take_session_facts(list(ARGV[8])) end

-- Records the end of a session that this server holds no more, if its player has come without a ticket.
local function record_if_direct(name, s)
  local facts = reported_facts[name]
  if facts and call('EXISTS', P .. 't:' .. name) == 0 then record_direct_end(name, s, facts) end
end

-- Removes a streamer that is no longer reported.
local function remove_streamer(key)
  local s = kept_records and streamer(key, true)
  for _, name in ipairs(s and list(s.ses) or NONE) do record_if_direct(name, s) end
  drop_streamer(key, 'streamer_lost')
end

-- Marks a reported session as held. Returns whether the session is known, and whether it has just arrived.
local function hold_session(key, name, spectator)
  local T = P .. 't:' .. name
  local t = call('HMGET', T, 'st', 'k', 'sh', 'rp', 'lane', 'app', 'dl')
  local state, before = t[1], t[2]
  if not state then return false, false end
  local same = state == 'H' and before == key
  if same and (t[3] == '1') == spectator then return true, false end
  if state == 'W' then
    dequeue(name, t[5], t[6])
    call('HSET', T, 'since', now_text)
  elseif state == 'H' then
    if not same then call('SREM', P .. 'sh:' .. before, name) end
  else
    unassign(name, before, t[3] == '1', t[7])
    if before ~= key then freed[#freed + 1] = before end
  end
  call('HSET', T, 'st', 'H', 'k', key, 'dl', '0', 'sh', spectator and '1' or '0')
  call('SADD', P .. 'sh:' .. key, name)
  if state ~= 'H' then
    call('SREM', P .. 'rt:' .. t[4], name)
    add_session_event('playing', name)
  end
  return true, not same
end

-- Ends one reservation, oldest first, for each player that arrived without a lease: a page with a reservation dials
-- without its session id.
local function end_reservations(key, unleased)
  local reservations = {}
  for _, name in ipairs(unleased > 0 and call('SMEMBERS', P .. 'sl:' .. key) or {}) do
    local t = call('HMGET', P .. 't:' .. name, 'rp', 'arr', 'sh', 'dl')
    if t[1] == '' then reservations[#reservations + 1] = { name, tonumber(t[2]), t[3] == '1', t[4] } end
  end
  table.sort(reservations, function(one, other) return one[2] < other[2] end)
  for i = 1, math.min(unleased, #reservations) do
    local name, _, spectator, deadline = unpack(reservations[i])
    unassign(name, key, spectator, deadline)
    delete_ticket(name, '')
  end
end

-- Adds a streamer. Leases that were restored before its report count at once.
local function create_streamer(key, endpoint, app, labels, node)
  local live, spectators = 0, 0
  for _, name in ipairs(call('SMEMBERS', P .. 'sl:' .. key)) do
    if call('HGET', P .. 't:' .. name, 'sh') == '1' then spectators = spectators + 1 else live = live + 1 end
  end
  local operator_drained = call('SISMEMBER', P .. 'back', key)
  if operator_drained == 1 then call('ZREM', DUE, 'b:' .. key) end
  local s = { key = key, was = {}, srv = server, app = app, ep = endpoint, lab = labels, node = node, live = int(live),
    shd = int(spectators), asd = '0', fails = '0', fby = '', seen = now_text, used = '0', free = '', ready = '',
    tot = '', taken = '0', hb = int(operator_drained) }
  streamers[key] = s
  register_app(app)
  call('SADD', P .. 'all:' .. app, key)
  count_fitting(app, labels, 1)
  call('SADD', P .. 'ep:' .. app .. US .. endpoint, key)
  call('SADD', P .. 'node:' .. app .. US .. node, key)
  add_streamer_event('up', s)
  return s
end

local function update_streamer(key, i)
  local endpoint, app, capacity, ok, labels, node, legacy, players =
    ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 6], ARGV[i + 7], ARGV[i + 8], ARGV[i + 9]
  local s = streamer(key, true)
  if s and (s.app ~= app or s.lab ~= labels or s.node ~= node) then
    drop_streamer(key)
    s = nil
  end
  if not s then s = create_streamer(key, endpoint, app, labels, node) end
  local sessions, spectators, last_sessions = list(ARGV[i + 4]), list(ARGV[i + 5]), list(s.ses)
  local present, before = {}, {}
  for _, name in ipairs(sessions) do present[name] = true end
  for _, name in ipairs(spectators) do present[name] = true end
  for _, name in ipairs(last_sessions) do before[name] = true end
  -- Sessions that it held and no longer reports have ended.
  for _, last_list in ipairs({ last_sessions, list(s.onl) }) do
    for _, name in ipairs(last_list) do
      if not present[name] then
        if call('SREM', P .. 'sh:' .. key, name) == 1 then end_session(name) else record_if_direct(name, s) end
      end
    end
  end
  local unleased, arrived = legacy == '1' and players - (s.n or 0) or 0, false
  for _, name in ipairs(sessions) do
    local is_known, is_new = hold_session(key, name, false)
    if not is_known and not before[name] then unleased = unleased + 1 end
    arrived = arrived or is_new
  end
  for _, name in ipairs(spectators) do hold_session(key, name, true) end
  end_reservations(key, unleased)
  s.cap = capacity
  s.ok = ok
  s.n = legacy == '1' and players or int(#sessions)
  s.stk = legacy
  s.ses = ARGV[i + 4]
  s.onl = ARGV[i + 5]
  s.on = int(#spectators)
  if events_kept and s.rep then
    add_changes('away', 'away', s.rep, ARGV[i + 11], present, 'resumed')
    add_changes('warned', 'warning', s.rep, ARGV[i + 12], present)
  end
  s.rep = ARGV[i + 10]
  for _, name in ipairs(list(ARGV[i + 11])) do remember_away_session(name) end
  if arrived then
    s.fails = '0'
    s.fby = ''
  end
end

-- Sessions that began and ended between two reports.
for _, name in ipairs(list(ARGV[7])) do
  local t = call('HMGET', P .. 't:' .. name, 'st', 'k', 'sh', 'rp', 'app', 'dl')
  local s = (t[1] == 'M' or t[1] == 'C') and streamer(t[2])
  if s and s.srv == server then
    unassign(name, t[2], t[3] == '1', t[6])
    if t[3] ~= '1' then count_end(t[5]) end
    add_session_event('playing', name)
    record_end(name)
    delete_ticket(name, t[4], 'H')
    freed[#freed + 1] = t[2]
  end
end

if known and v[4] == digest then
  call('HSET', V, 'seq', sequence, 'fence', fence, 'owner', owner)
else
  local keys = list(ARGV[9])
  if known and v[5] ~= ARGV[9] then
    local remaining = {}
    for _, key in ipairs(keys) do remaining[key] = true end
    for _, key in ipairs(list(v[5])) do
      if not remaining[key] then remove_streamer(key) end
    end
  end
  for i, key in ipairs(keys) do update_streamer(key, 10 + (i - 1) * 13) end
  call('HSET', V, 'seq', sequence, 'fence', fence, 'owner', owner, 'digest', digest, 'keys', ARGV[9])
  for _, key in ipairs(keys) do serve(key) end
end
for _, key in ipairs(freed) do serve(key) end
place_requeued()

-- An unchanged heartbeat reads the set even without the `end` flag, because the previous release does not write it.
local ends = {}
if owner == '' and (v[6] or v[4] == digest) then ends = call('SMEMBERS', P .. 'end:' .. server) end
if #ends > 0 then
  call('DEL', P .. 'end:' .. server)
  call('HDEL', V, 'end')
end
return answer({ 1, fence, unpack(ends) })
