-- What callers are told.

local function lease(session)
  local t = call('HMGET', P .. 't:' .. session, 'rp', 'k', 'st', 'sh', 'since', 'arr', 'dl', 'rep')
  return { session, t[1], call('HGET', P .. 's:' .. t[2], 'rep') or t[8], t[3], t[4], t[5], t[6], t[7] }
end

-- The replica of a matched session has heard of it: its player is on its way.
local function claim(session)
  local T = P .. 't:' .. session
  local deadline = now + ARRIVAL
  if call('HGET', P .. 's:' .. call('HGET', T, 'k'), 'stk') == '1' then
    deadline = 0
    call('ZREM', DUE, 'l:' .. session)
  else
    call('ZADD', DUE, deadline, 'l:' .. session)
  end
  call('HSET', T, 'st', 'C', 'dl', deadline)
end

-- What a session has, for the replica that asks: a place, a lease, which is claimed by that, or false.
local function placed(session)
  local t = call('HMGET', P .. 't:' .. session, 'st', 'arr', 'tk', 'want', 'rp')
  if not t[1] then return false end
  if t[1] == 'W' then return { session, t[2], t[3], t[4], t[5] } end
  if t[1] == 'M' then heard(session, t[5]); claim(session) end
  return lease(session)
end

-- Ends every script: wakes those for whom something was matched.
local function answer(value)
  for replica, matches in pairs(woken) do
    if matches > 0 then call('PUBLISH', P .. 'wake:' .. replica, '') end
  end
  return value
end
