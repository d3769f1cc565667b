-- Indexes and totals derived from the fields of streamers.

local TOTALS = { 'streamers', 'slots', 'unlimited', 'used', 'aside' }

local function set_free(app, labels, key, score, out_of)
  for _, selector in ipairs(matching_selectors(app, labels)) do
    if score ~= '' then call('ZADD', index(app, selector), score, key)
    elseif selector ~= out_of then call('ZREM', index(app, selector), key) end
  end
end

local function score_of(s, used_slots)
  local chosen = policy(s.app)
  if chosen == 'oldest' then return s.seen end
  -- A new streamer comes last.
  if chosen == 'spread' then return tonumber(s.used) > tonumber(s.seen) and s.used or s.seen end
  if s.node == '' then return int(-used_slots) end
  return int(-(call('HGET', P .. 'busy:' .. s.app, s.node) or 0))
end

-- Applies the change of a streamer's share in the totals of its app.
local function add_totals(app, before, after)
  local old, i = before:gmatch('%d+'), 0
  for value in after:gmatch('%d+') do
    i = i + 1
    local step = value - (old() or 0)
    if step ~= 0 then call('HINCRBY', P .. 'tot:' .. app, TOTALS[i], int(step)) end
  end
end

-- Changes the used slots of a machine, and with them the order of its free streamers under the `pack` policy, except
-- for the streamer that the caller updates.
local function repack(app, node, step, except)
  if node == '' or step == 0 then return end
  local busy = call('HINCRBY', P .. 'busy:' .. app, node, int(step))
  if busy == 0 then call('HDEL', P .. 'busy:' .. app, node) end
  if policy(app) ~= 'pack' then return end
  local score = int(-busy)
  for _, key in ipairs(call('SMEMBERS', P .. 'node:' .. app .. US .. node)) do
    local before, labels
    if key ~= except then before, labels = look_up(key, 'free', 'lab') end
    if before and before ~= '' then
      set_free(app, labels, key, score)
      if streamers[key] then streamers[key].free = score
      else call('HSET', P .. 's:' .. key, 'free', score) end
    end
  end
end

-- Records the slots of a streamer whose pod exists and takes no further player: the occupied ones of a streamer that is
-- not ready or drains, and the free ones of a drained or quarantined one. Autoscalers add them to the demand.
local function count_unusable(s, used_slots, ready, quarantined)
  local free_slots = math.max((s.cap == '0' and 1 or s.cap) - used_slots, 0)
  local unusable = quarantined and free_slots or 0
  if not ready then unusable = used_slots + (s.ok == '1' and free_slots or 0) end
  if unusable > 0 then call('ZADD', P .. 'unusable:' .. s.app, int(unusable), s.key)
  else call('ZREM', P .. 'unusable:' .. s.app, s.key) end
end

-- Returns the sum of an app's unusable slots.
local function sum_unusable(app)
  local sum, entries = 0, call('ZRANGE', P .. 'unusable:' .. app, 0, -1, 'WITHSCORES')
  for i = 1, #entries, 2 do
    -- A streamer that another release has removed is still listed.
    if call('EXISTS', P .. 's:' .. entries[i]) == 1 then sum = sum + entries[i + 1]
    else call('ZREM', P .. 'unusable:' .. app, entries[i]) end
  end
  return sum
end

-- Updates indexes and totals after a change of a streamer. Returns whether it is open (ready, not drained, not
-- quarantined), and whether a slot is free. A legacy streamer is withheld while the store recovers from a reset: a
-- replica may have leased it before, and its server refuses no second player.
local function refresh(s)
  local app, cap = s.app, tonumber(s.cap)
  local used_slots = s.stk == '1' and math.max(tonumber(s.n), tonumber(s.live)) or s.n + s.live
  local ready = s.ok == '1' and s.hb ~= '1'
  local quarantined = s.asd ~= '0' and tonumber(s.asd) > now
  local withheld = s.stk == '1' and now < recovers_until
  if quarantined or withheld then call('ZADD', DUE, quarantined and s.asd or int(recovers_until), 'a:' .. s.key) end
  local open = ready and not quarantined
  local free = open and not withheld and (cap == 0 or used_slots < cap)
  local before, step = s.taken, used_slots - s.taken
  if step ~= 0 then
    repack(app, s.node, step, s.key)
    s.taken = int(used_slots)
  end
  local score = free and score_of(s, used_slots) or ''
  if score ~= s.free or s.out_of then
    set_free(app, s.lab, s.key, score, s.out_of)
    s.free = score
    s.out_of = nil
  end
  local spectators = ready and (s.shd == '0' and s.on or int(s.shd + s.on)) or ''
  if spectators ~= s.ready then
    if ready then call('ZADD', P .. 'ready:' .. app, spectators, s.key)
    else call('ZREM', P .. 'ready:' .. app, s.key) end
    s.ready = spectators
  end
  local first, rest = '1:' .. s.cap .. (cap == 0 and ':1:' or ':0:'), quarantined and ':1' or ':0'
  if not ready or quarantined or s.tot == '0:0:0:0:0' or s.tot:sub(-2) == ':1' then
    count_unusable(s, used_slots, ready, quarantined)
  end
  local adds = ready and first .. s.taken .. rest or '0:0:0:0:0'
  if adds ~= s.tot then
    if s.tot == first .. before .. rest and ready then call('HINCRBY', P .. 'tot:' .. app, 'used', int(step))
    else add_totals(app, s.tot, adds) end
    s.tot = adds
  end
  return open, free
end

-- Removes all legacy streamers from the free ones, after the start of a recovery.
local function withhold_legacy_streamers()
  for _, app in ipairs(call('SMEMBERS', P .. 'apps')) do
    for _, key in ipairs(call('SMEMBERS', P .. 'all:' .. app)) do
      if look_up(key, 'stk') == '1' then
        local s = streamer(key)
        refresh(s)
        write(s)
        streamers[key] = nil  -- frees memory: there may be thousands
      end
    end
  end
end

-- Changes the number of a streamer's leases.
local function count_lease(s, spectator, step)
  local name = spectator and 'shd' or 'live'
  s[name] = int(s[name] + step)
  if step > 0 and not spectator then s.used = now_text end
end
