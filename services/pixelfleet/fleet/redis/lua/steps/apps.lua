-- Apps, and the selectors of their tickets.

local function index(app, selector) return P .. 'free:' .. app .. US .. selector end

local function count_unknown(step) unknown_waiting = call('HINCRBY', P .. 'epoch', 'unk', int(step)) end

-- Adds an app to those that are known: it has a streamer, or the settings name it.
local function register_app(app)
  known_apps[app] = true
  if call('SADD', P .. 'apps', app) == 0 then return end
  call('ZADD', DUE, int(now + UNUSED), 'p:' .. app)
  if unknown_waiting > 0 and call('SREM', P .. 'unknown', app) == 1 then
    count_unknown(-call('ZCARD', P .. 'wait:' .. app))
    for _, lane in ipairs(call('SMEMBERS', P .. 'unknown:' .. app)) do call('ZADD', P .. 'lanes', now_text, lane) end
    call('DEL', P .. 'unknown:' .. app)
  end
end

-- Deletes the keys of an app without streamers and tickets.
local function delete_app(app)
  for _, selector in ipairs(call('ZRANGE', P .. 'sel:' .. app, 0, -1)) do call('DEL', index(app, selector)) end
  call('DEL', P .. 'sel:' .. app, P .. 'tot:' .. app, P .. 'busy:' .. app, P .. 'ends:' .. app)
end

local function drop_app(app)
  if call('EXISTS', P .. 'all:' .. app, P .. 'wait:' .. app) > 0 then
    call('ZADD', DUE, int(now + UNUSED), 'p:' .. app)
    return
  end
  delete_app(app)
  call('SREM', P .. 'apps', app)
end

-- Returns the policy that the settings give an app, or nil when they do not name it.
local function declared_policy(app)
  if all_policies then
    local _, at = all_policies:find(RS .. app .. US, 1, true)
    return at and all_policies:match('^[^' .. RS .. ']+', at + 1) or nil
  end
  return call('HGET', P .. 'policies', app) or nil  -- written by the previous release, which has only this key
end

local function policy(app)
  local chosen = policies[app]
  if not chosen then
    chosen = declared_policy(app) or 'spread'
    policies[app] = chosen
  end
  return chosen
end

-- Returns whether an app has or recently had a streamer, or the settings name it.
local function is_known(app)
  if known_apps[app] == nil then
    known_apps[app] = call('SISMEMBER', P .. 'apps', app) == 1
    if not known_apps[app] and declared_policy(app) then register_app(app) end
  end
  return known_apps[app]
end

-- Returns whether tickets of an app may wait. The number of unknown apps with waiting tickets is limited.
local function may_wait(app)
  return is_known(app) or call('SISMEMBER', P .. 'unknown', app) == 1
    or call('SCARD', P .. 'unknown') < MAX_UNKNOWN_APPS
end

local function has_labels(labels, selector)
  local all = RS .. labels .. RS
  for part in selector:gmatch('[^' .. RS .. ']+') do
    if not all:find(RS .. part .. RS, 1, true) then return false end
  end
  return true
end

-- Returns the selectors that a streamer's labels satisfy, always with the empty one.
local function matching_selectors(app, labels)
  if labels == '' then return { '' } end
  if not selectors[app] then selectors[app] = call('ZRANGE', P .. 'sel:' .. app, 0, -1) end
  local found = { '' }
  for _, selector in ipairs(selectors[app]) do
    if has_labels(labels, selector) then found[#found + 1] = selector end
  end
  return found
end

-- Registers a selector, with an index of the free streamers that satisfy it. When an app has too many, the least
-- recently used selector without waiting tickets is dropped. Returns why it refuses a selector: 'unknown' when `admits`
-- refuses the app, or 'choices'. Without `admits`, for a ticket that was accepted before, it refuses none.
local function register_selector(app, selector, admits)
  if selector == '' then return end
  local stored = P .. 'sel:' .. app
  local used = call('ZSCORE', stored, selector)
  if used then
    if now - used > SELECTOR_USE then call('ZADD', stored, now_text, selector) end
    return
  end
  if admits and not admits(app) then return 'unknown' end
  if admits and call('ZCARD', stored) >= MAX_SELECTORS then
    local dropped
    for _, old in ipairs(call('ZRANGE', stored, 0, -1)) do
      if call('EXISTS', P .. 'lane:' .. app .. US .. old) == 0 then dropped = old; break end
    end
    if not dropped then return 'choices' end
    call('ZREM', stored, dropped)
    call('DEL', index(app, dropped))
  end
  call('ZADD', stored, now_text, selector)
  selectors[app] = nil
  for _, key in ipairs(call('ZRANGE', index(app, ''), 0, -1)) do
    local labels, score = look_up(key, 'lab', 'free')
    if has_labels(labels, selector) then call('ZADD', index(app, selector), score, key) end
  end
end
