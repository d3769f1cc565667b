-- The stored fields of streamers. A call reads each streamer once, and writes its changed fields at the end. All
-- fields are text, as in Redis.

local FACTS = { 'app', 'srv', 'ep', 'lab', 'node', 'cap', 'ok', 'n', 'stk', 'on', 'rep',
  'live', 'shd', 'used', 'seen', 'hb', 'asd', 'fails', 'fby', 'taken', 'free', 'ready', 'tot',
  'ses', 'onl' }

-- Returns a streamer, or nil for an unknown one. `ses` and `onl`, the sessions of its last report, may be long and are
-- read on request only. (A loop over the names would take longer than the lookup in Redis.)
local function streamer(key, with_sessions)
  local s = streamers[key]
  if s == nil then
    local v = call('HMGET', P .. 's:' .. key, unpack(FACTS, 1, with_sessions and 25 or 23))
    s = v[1] and { key = key, was = v,
      app = v[1], srv = v[2], ep = v[3], lab = v[4], node = v[5], cap = v[6], ok = v[7], n = v[8], stk = v[9],
      on = v[10], rep = v[11], live = v[12], shd = v[13], used = v[14], seen = v[15], hb = v[16], asd = v[17],
      fails = v[18], fby = v[19], taken = v[20], free = v[21], ready = v[22], tot = v[23], ses = v[24], onl = v[25] }
    streamers[key] = s
  elseif s and with_sessions and not s.ses then
    local v = call('HMGET', P .. 's:' .. key, 'ses', 'onl')
    s.ses, s.onl, s.was[24], s.was[25] = v[1], v[2], v[1], v[2]
  end
  return s or nil
end

-- Returns one or two fields without loading the streamer; false for each field of an unknown one.
local function look_up(key, one, other)
  local s = streamers[key]
  if s == nil then return unpack(call('HMGET', P .. 's:' .. key, one, other or one)) end
  return s and s[one], s and s[other or one]
end

-- Writes the changed fields of a streamer.
local function write(s)
  local words, was = {}, s.was
  for i = 1, #FACTS do
    local value = s[FACTS[i]]
    if value ~= was[i] then
      words[#words + 1] = FACTS[i]
      words[#words + 1] = value
      was[i] = value
    end
  end
  if #words > 0 then call('HSET', P .. 's:' .. s.key, unpack(words)) end
end
