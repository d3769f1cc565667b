-- Who gets which streamer.

-- Finds the free streamer that is taken first. Where none is avoided it is taken out of that index by the same command;
-- the assign() that must follow then puts it where it belongs.
local function best(app, selector, avoid)
  if not avoid then
    local key = call('ZPOPMIN', index(app, selector))[1]
    if key then streamer(key).out_of = selector end
    return key
  end
  for _, key in ipairs(call('ZRANGE', index(app, selector), '0', MAX_EXCLUDED)) do
    if not avoid[key] then return key end
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
  if streamer(name) then return { name } end
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
      if tonumber((look_up(each, 'asd'))) <= now and not (avoid and avoid[each]) then shareable = each; break end
    end
  else
    for _, key in ipairs(named(app, wants)) do
      local s = streamer(key)
      local open, free = refresh(s)
      if open and s.app == app and not (avoid and avoid[key]) then
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

-- Whether anybody waits at all.
local function is_asked_for()
  if asked_for == nil then asked_for = call('EXISTS', P .. 'lanes') == 1 end
  return asked_for
end

-- Gives a streamer that may have become free to those who have waited longest for what it is.
local function serve(key)
  local s = streamer(key)
  if not s then return end
  local app, open, free = s.app, refresh(s)
  if not open or young or not is_asked_for() then return end
  local lanes = { lane_of(app, '', key), lane_of(app, '', s.ep), lane_of(app, '', '*') }
  for _, selector in ipairs(served(app, s.lab)) do lanes[#lanes + 1] = lane_of(app, selector, '') end
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
    open, free = assign(chosen, key, 'M', shared, replica)
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
      for _, each in ipairs(lanes) do call('ZADD', P .. 'lanes', 'XX', now_text, each) end
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
