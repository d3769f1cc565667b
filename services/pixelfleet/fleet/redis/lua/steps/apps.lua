-- Apps, and the selectors of their tickets.

local function index(app, selector) return P .. 'free:' .. app .. US .. selector end

-- Returns whether a lane's tickets want one particular streamer.
local function wants_one(lane)
  local wants = lane:match(US .. '=(.*)$')
  return wants ~= nil and wants ~= '*'
end

-- Returns the key of an app's waiting tickets: those of a lane, which want one particular streamer or not.
local function waiting_key(app, lane) return P .. (wants_one(lane) and 'want:' or 'wait:') .. app end

local function is_waiting(app) return call('EXISTS', P .. 'wait:' .. app, P .. 'want:' .. app) > 0 end

local function count_unknown(step) unknown_waiting = call('HINCRBY', P .. 'epoch', 'unk', int(step)) end

-- Adds an app to those that are known: it has a streamer, or the settings name it.
local function register_app(app)
  known_apps[app] = true
  if call('SADD', P .. 'apps', app) == 0 then return end
  call('ZADD', DUE, int(now + UNUSED), 'p:' .. app)
  if unknown_waiting > 0 and call('SREM', P .. 'unknown', app) == 1 then
    count_unknown(-call('ZCARD', P .. 'wait:' .. app) - call('ZCARD', P .. 'want:' .. app))
    for _, lane in ipairs(call('SMEMBERS', P .. 'unknown:' .. app)) do call('ZADD', P .. 'lanes', now_text, lane) end
    call('DEL', P .. 'unknown:' .. app)
    call('HDEL', P .. 'claims', app)
  end
end

-- Deletes the keys of an app without streamers and tickets.
local function delete_app(app)
  for _, selector in ipairs(call('ZRANGE', P .. 'sel:' .. app, 0, -1)) do call('DEL', index(app, selector)) end
  call('DEL', P .. 'sel:' .. app, P .. 'fit:' .. app, P .. 'tot:' .. app, P .. 'busy:' .. app, P .. 'ends:' .. app,
    P .. 'unusable:' .. app, P .. 'claims:' .. app)
end

-- Removes an unknown app without waiting tickets.
local function forget_unknown(app)
  call('SREM', P .. 'unknown', app)
  call('HDEL', P .. 'claims', app)
  delete_app(app)
end

local function schedule_recount() call('ZADD', DUE, 'NX', int(now + RECOUNT), 'u:') end

-- Corrects the record of unknown apps, which a lost key or a call of another release may have left wrong.
local function recount_unknown()
  unknown_waiting = 0
  for _, app in ipairs(call('SMEMBERS', P .. 'unknown')) do
    local waiting = call('ZCARD', P .. 'wait:' .. app) + call('ZCARD', P .. 'want:' .. app)
    unknown_waiting = unknown_waiting + waiting
    if waiting == 0 then
      forget_unknown(app)
      call('DEL', P .. 'unknown:' .. app)
    end
  end
  call('HSET', P .. 'epoch', 'unk', int(unknown_waiting))
  if unknown_waiting > 0 then schedule_recount() end
end

local function drop_app(app)
  if call('EXISTS', P .. 'all:' .. app) == 1 or is_waiting(app) then
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

-- Returns whether a client has reached its share of names without a streamer. `claims` has the client that was the
-- first to wait for each name. Names that do not count are removed: their tickets left through another release.
local function has_its_share(claims, client, share, counts)
  if client == '' then return false end
  local count, all = 0, call('HGETALL', claims)
  for i = 1, #all, 2 do
    if not counts(all[i]) then call('HDEL', claims, all[i]) elseif all[i + 1] == client then count = count + 1 end
  end
  return count >= share
end

local function is_unknown(app) return call('SISMEMBER', P .. 'unknown', app) == 1 end

-- Returns whether tickets of an app may wait. The number of unknown apps with waiting tickets is limited, for the fleet
-- and for each client; an empty `client` has no limit of its own.
local function may_wait(app, client)
  return is_known(app) or is_unknown(app) or (call('SCARD', P .. 'unknown') < MAX_UNKNOWN_APPS
    and not has_its_share(P .. 'claims', client, MAX_UNKNOWN_APPS_OF_CLIENT, is_unknown))
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
local function register_selector(app, selector, admits, client)
  if selector == '' then return end
  local stored = P .. 'sel:' .. app
  local used = call('ZSCORE', stored, selector)
  if used then
    if now - used > SELECTOR_USE then call('ZADD', stored, now_text, selector) end
    return
  end
  if admits and not admits(app, client) then return 'unknown' end
  if admits and call('ZCARD', stored) >= MAX_SELECTORS then
    local dropped
    for _, old in ipairs(call('ZRANGE', stored, 0, -1)) do
      if call('EXISTS', P .. 'lane:' .. app .. US .. old) == 0 then dropped = old; break end
    end
    if not dropped then return 'choices' end
    call('ZREM', stored, dropped)
    call('HDEL', P .. 'fit:' .. app, dropped)
    call('DEL', index(app, dropped))
  end
  call('ZADD', stored, now_text, selector)
  selectors[app] = nil
  local fitting = 0
  for _, key in ipairs(call('SMEMBERS', P .. 'all:' .. app)) do
    local labels, score = look_up(key, 'lab', 'free')
    if has_labels(labels, selector) then
      fitting = fitting + 1
      if score ~= '' then call('ZADD', index(app, selector), score, key) end
    end
  end
  call('HSET', P .. 'fit:' .. app, selector, int(fitting))
end

-- Changes the number of streamers that satisfy each selector, by those of one streamer's labels.
local function count_fitting(app, labels, step)
  local fit = P .. 'fit:' .. app
  for _, selector in ipairs(matching_selectors(app, labels)) do
    if selector ~= '' and call('HGET', fit, selector) then call('HINCRBY', fit, selector, int(step)) end
  end
end

-- Returns whether a streamer, free or not, would serve the tickets of a lane.
local function is_served(lane)
  local app, choice = lane:match('^([^' .. US .. ']*)' .. US .. '(.*)$')
  if wants_one(lane) then
    local wants = choice:sub(2)
    return look_up(wants, 'app') == app or call('EXISTS', P .. 'ep:' .. app .. US .. wants) == 1
  end
  if choice == '' or choice == '=*' then return call('EXISTS', P .. 'all:' .. app) == 1 end
  return call('HGET', P .. 'fit:' .. app, choice) ~= '0'
end

-- Returns whether a client may wait with a selector: it may be the first to wait with few selectors that no streamer
-- satisfies, because an app has MAX_SELECTORS at most.
local function may_choose(app, selector, client)
  if selector == '' or client == '' then return true end
  local function is_unserved(each) return call('HGET', P .. 'fit:' .. app, each) == '0' end
  local function has_waiting(each) return call('EXISTS', P .. 'lane:' .. app .. US .. each) == 1 end
  if not is_unserved(selector) or has_waiting(selector) then return true end
  local function counts(each) return is_unserved(each) and has_waiting(each) end
  return not has_its_share(P .. 'claims:' .. app, client, MAX_SELECTORS_OF_CLIENT, counts)
end

-- Returns whether `wants` is the id of a session that no longer exists, or a missing endpoint id of the same form.
local function is_over(app, wants)
  return #wants == SESSION_ID_LENGTH and not wants:find('[^0-9a-f]') and not are_reports_missing()
    and call('EXISTS', P .. 't:' .. wants, P .. 's:' .. wants, P .. 'ep:' .. app .. US .. wants) == 0
end

-- Returns the number of waiting tickets that a further streamer, like those that there are, would not serve.
local function count_unscalable(app, waiting)
  local count = call('ZCARD', P .. 'want:' .. app)
  if waiting == 0 or call('EXISTS', P .. 'all:' .. app) == 0 then return count end
  local fit = call('HGETALL', P .. 'fit:' .. app)
  for i = 1, #fit, 2 do
    if fit[i + 1] == '0' then count = count + call('ZCARD', P .. 'lane:' .. app .. US .. fit[i]) end
  end
  return count
end
