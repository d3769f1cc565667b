-- Apps, and the choices of labels that their players have asked for.

local function index(app, selector) return P .. 'free:' .. app .. US .. selector end

local function know_app(app)
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
    else  -- as the release before wrote them, which knows only these
      chosen = call('HGET', P .. 'policies', app) or 'spread'
    end
    policies[app] = chosen
  end
  return chosen
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
  if labels == '' then return { '' } end
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
    if now - used > SELECTOR_USE then call('ZADD', known, now_text, selector) end
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
  call('ZADD', known, now_text, selector)
  selectors[app] = nil
  for _, key in ipairs(call('ZRANGE', index(app, ''), 0, -1)) do
    local labels, score = look_up(key, 'lab', 'free')
    if serves(labels, selector) then call('ZADD', index(app, selector), score, key) end
  end
  return true
end
