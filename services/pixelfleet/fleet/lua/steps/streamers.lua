-- What follows from the facts of streamers: which of them are free, and for whom; totals.

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
