-- What persons and tenants use. A name is a digest of one of them.

-- Returns the microseconds of a session that count for today: since its match, and at most since midnight (UTC).
local function used_today(state, since)
  if state ~= 'C' and state ~= 'H' then return 0 end
  return math.max(0, now - math.max(tonumber(since), math.floor(now / DAY) * DAY))
end

-- Returns the number of sessions of a name, and the microseconds that the name has used today, those of running sessions
-- included. It forgets sessions that have ended.
local function use_of(name)
  local sessions, used = 0, 0
  local day = call('HMGET', P .. 'day:' .. name, 'day', 'used')
  if tonumber(day[1] or -1) == math.floor(now / DAY) then used = tonumber(day[2]) end
  for _, each in ipairs(call('SMEMBERS', P .. 'use:' .. name)) do
    local t = call('HMGET', P .. 't:' .. each, 'st', 'since')
    if not t[1] then call('SREM', P .. 'use:' .. name, each)
    else
      sessions = sessions + 1
      used = used + used_today(t[1], t[2])
    end
  end
  return sessions, used
end

-- Returns why a new session may not begin, 'sessions' or 'minutes', or nil. The limits are in ARGV from `first` on: a name,
-- its sessions, or 0, and its seconds a day, or 0.
local function refused_by_limit(first, ARGV)
  for i = first, #ARGV, 3 do
    local sessions, used = use_of(ARGV[i])
    if ARGV[i + 1] ~= '0' and sessions >= tonumber(ARGV[i + 1]) then return 'sessions' end
    if ARGV[i + 2] ~= '0' and used >= ARGV[i + 2] * 1000000 then return 'minutes' end
  end
end

-- Returns the names of the limits of a ticket. Text of a client cannot contain this field: its quotes are escaped.
local function limited_names(ticket)
  local limits = ticket and ticket:match('"use_limits":%[(%[.-%])%]')
  return limits and limits:gmatch('"(%x+)"') or function() end
end

local function begin_use(session, ticket)
  for name in limited_names(ticket) do call('SADD', P .. 'use:' .. name, session) end
end

-- Ends the use of a session whose ticket is about to be deleted, and adds its time to the day.
local function end_use(session, state, since, ticket)
  for name in limited_names(ticket) do
    if call('SREM', P .. 'use:' .. name, session) == 1 then
      local key, today, micros = P .. 'day:' .. name, int(math.floor(now / DAY)), used_today(state, since)
      local day = call('HMGET', key, 'day', 'used')
      if day[1] == today then micros = micros + day[2] end
      call('HSET', key, 'day', today, 'used', int(micros))
      call('EXPIRE', key, USE_KEPT_SECONDS)
    end
  end
end
