-- Matching of tickets with streamers.

-- Returns the first free streamer in the order of the policy. Without exclusions, the same command removes it from the
-- index; the assign() that must follow updates the index.
local function take_free(app, selector, excluded)
  if not excluded then
    local key = call('ZPOPMIN', index(app, selector))[1]
    if key then streamer(key).out_of = selector end
    return key
  end
  for _, key in ipairs(call('ZRANGE', index(app, selector), '0', MAX_EXCLUDED)) do
    if not excluded[key] then return key end
  end
end

-- Returns the streamer of the wanted session if `wants` is a session id, otherwise `wants` itself.
local function resolve_wanted(app, wants)
  if wants == '' or wants == '*' then return wants end
  local t = call('HMGET', P .. 't:' .. wants, 'k', 'app')
  return t[1] and t[1] ~= '' and t[2] == app and t[1] or wants
end

local function wanted_keys(app, wants)
  local name = resolve_wanted(app, wants)
  if streamer(name) then return { name } end
  local keys = call('SMEMBERS', P .. 'ep:' .. app .. US .. name)
  table.sort(keys)
  return keys
end

-- Finds a streamer for a ticket; returns its key and whether the ticket becomes a spectator.
-- `share` is '0' for a player, '1' if it may become a spectator, '2' for a spectator.
local function choose(app, selector, wants, share, excluded)
  local plays, may_share = share ~= '2', share ~= '0'
  if wants == '' then return take_free(app, selector, excluded), false end
  local shareable
  if wants == '*' then
    local key = plays and take_free(app, '', excluded)
    if key then return key, false end
    for _, each in ipairs(may_share and call('ZRANGE', P .. 'ready:' .. app, 0, LOOK_AHEAD - 1) or {}) do
      if tonumber((look_up(each, 'asd'))) <= now and not (excluded and excluded[each]) then shareable = each; break end
    end
  else
    for _, key in ipairs(wanted_keys(app, wants)) do
      local s = streamer(key)
      local open, free = refresh(s)
      if open and s.app == app and not (excluded and excluded[key]) then
        if free and plays then return key, false end
        shareable = shareable or key
      end
    end
  end
  if may_share and shareable then return shareable, true end
end

-- Assigns a streamer to a waiting ticket if one is free. Returns whether it did; if not, also whether no other ticket
-- of its lane can be matched.
local function place(session, state)
  local t = call('HMGET', P .. 't:' .. session, 'st', 'app', 'sel', 'want', 'share', 'av', 'lane', 'rp')
  if t[1] ~= 'W' then return false, false end
  local excluded = excluded_streamers(t[6])
  local key, spectator = choose(t[2], t[3], t[4], t[5], excluded)
  if not key then return false, t[4] == '' and not excluded end
  dequeue(session, t[7], t[2])
  assign(session, key, state, spectator, t[8])
  add_session_event('matched', session)
  return true
end

-- Finds the first ticket of a lane for a streamer; returns session, rank, replica and whether it becomes a spectator.
local function first_ticket_for(lane, key, free)
  local from, to = 0, 0
  while from < LOOK_AHEAD do
    local heads = call('ZRANGE', P .. 'lane:' .. lane, from, to, 'WITHSCORES')
    for j = 1, #heads, 2 do
      local t = call('HMGET', P .. 't:' .. heads[j], 'av', 'share', 'rp')
      local excluded = excluded_streamers(t[1])
      if not (excluded and excluded[key]) and (free or t[2] ~= '0') then
        return heads[j], tonumber(heads[j + 1]), t[3], not free or t[2] == '2'
      end
    end
    if #heads < 2 * (to - from + 1) then return end
    from, to = to + 1, math.min(to * 2 + 1, LOOK_AHEAD - 1)
  end
end

-- Returns whether any ticket of an app waits.
local function is_any_waiting(app)
  if any_waiting[app] == nil then any_waiting[app] = is_waiting(app) end
  return any_waiting[app]
end

-- Assigns the slots of a streamer that may have become free to the waiting tickets of the lowest rank.
local function serve(key)
  local s = streamer(key)
  if not s then return end
  local app, open, free = s.app, refresh(s)
  if not open or warming_up or not is_any_waiting(app) then return end
  local lanes = { lane_of(app, '', key), lane_of(app, '', s.ep), lane_of(app, '', '*') }
  for _, selector in ipairs(matching_selectors(app, s.lab)) do lanes[#lanes + 1] = lane_of(app, selector, '') end
  for _ = 1, SERVED_AT_ONCE do
    local chosen, rank, replica, lane, spectator
    for i = 1, free and #lanes or 3 do
      local first, first_rank, first_replica, first_spectates = first_ticket_for(lanes[i], key, free)
      if first and (not rank or first_rank < rank or (first_rank == rank and first < chosen)) then
        chosen, rank, replica, lane, spectator = first, first_rank, first_replica, lanes[i], first_spectates
      end
    end
    if not chosen then return end
    dequeue(chosen, lane, app)
    open, free = assign(chosen, key, 'M', spectator, replica)
    add_session_event('matched', chosen)
  end
  schedule_catch_up()
end

-- Matches waiting tickets over many lanes, lowest rank first: after the warm-up, after exclusions have expired, and
-- when an earlier call reached its limits.
local function catch_up()
  if warming_up then return end
  local lanes = call('ZRANGE', P .. 'lanes', 0, LANES_AT_ONCE - 1)
  local heads = {}
  local function load_head(lane, at)
    local head = at < LOOK_AHEAD and call('ZRANGE', P .. 'lane:' .. lane, at, at, 'WITHSCORES') or {}
    heads[lane] = head[1] and { session = head[1], rank = tonumber(head[2]), at = at }
  end
  for _, lane in ipairs(lanes) do load_head(lane, 0) end
  for _ = 1, PLACED_AT_ONCE do
    local lane, first
    for each, head in pairs(heads) do
      if head and (not first or head.rank < first.rank
          or (head.rank == first.rank and head.session < first.session)) then
        lane, first = each, head
      end
    end
    if not lane then
      if #lanes < LANES_AT_ONCE then return end
      for _, each in ipairs(lanes) do call('ZADD', P .. 'lanes', 'XX', now_text, each) end
      local oldest = call('ZRANGE', P .. 'lanes', 0, 0, 'WITHSCORES')
      if oldest[1] and tonumber(oldest[2]) < matching_from then schedule_catch_up() end
      return
    end
    local placed, lane_exhausted = place(first.session, 'M')
    if placed then load_head(lane, first.at)
    elseif lane_exhausted then heads[lane] = nil
    else load_head(lane, first.at + 1) end
  end
  schedule_catch_up()
end
