-- Apps, and the selectors of their tickets.

local function index(app, selector) return P .. 'free:' .. app .. US .. selector end

local function register_app(app)
  if call('SADD', P .. 'apps', app) == 1 then call('ZADD', DUE, int(now + UNUSED), 'p:' .. app) end
end

local function drop_app(app)
  if call('EXISTS', P .. 'all:' .. app, P .. 'wait:' .. app) > 0 then
    call('ZADD', DUE, int(now + UNUSED), 'p:' .. app)
    return
  end
  for _, selector in ipairs(call('ZRANGE', P .. 'sel:' .. app, 0, -1)) do call('DEL', index(app, selector)) end
  call('DEL', P .. 'sel:' .. app, P .. 'tot:' .. app, P .. 'busy:' .. app, P .. 'ends:' .. app)
  call('SREM', P .. 'apps', app)
end

local function policy(app)
  local chosen = policies[app]
  if not chosen then
    if all_policies then
      local _, at = all_policies:find(RS .. app .. US, 1, true)
      chosen = at and all_policies:match('^[^' .. RS .. ']+', at + 1) or 'spread'
    else  -- written by the previous release, which has only this key
      chosen = call('HGET', P .. 'policies', app) or 'spread'
    end
    policies[app] = chosen
  end
  return chosen
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
-- recently used selector without waiting tickets is dropped. Returns false when there is none; `force` exceeds the
-- limit, for a ticket that was accepted before.
local function register_selector(app, selector, force)
  if selector == '' then return true end
  local stored = P .. 'sel:' .. app
  local used = call('ZSCORE', stored, selector)
  if used then
    if now - used > SELECTOR_USE then call('ZADD', stored, now_text, selector) end
    return true
  end
  if call('ZCARD', stored) >= MAX_SELECTORS and not force then
    local dropped
    for _, old in ipairs(call('ZRANGE', stored, 0, -1)) do
      if call('EXISTS', P .. 'lane:' .. app .. US .. old) == 0 then dropped = old; break end
    end
    if not dropped then return false end
    call('ZREM', stored, dropped)
    call('DEL', index(app, dropped))
  end
  register_app(app)
  call('ZADD', stored, now_text, selector)
  selectors[app] = nil
  for _, key in ipairs(call('ZRANGE', index(app, ''), 0, -1)) do
    local labels, score = look_up(key, 'lab', 'free')
    if has_labels(labels, selector) then call('ZADD', index(app, selector), score, key) end
  end
  return true
end
