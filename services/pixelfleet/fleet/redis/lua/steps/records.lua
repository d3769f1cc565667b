-- Records of ended sessions, in a stream of limited length: one entry with the field `r`, a JSON object. Its fields
-- are those of `SessionRecord` (fleet/records.py).

-- How many records are kept, as text; nil for none. expire() reads it.
local kept_records
-- What the report that is being handled has of sessions: a JSON object by session.
local reported_facts
-- The session whose record this call has added last, and the record as JSON, for its event.
local recorded, recorded_text

-- Returns microseconds as text with the unit of seconds.
local function in_seconds(micros) return micros:sub(1, -7) .. '.' .. micros:sub(-6) end

-- Adds parts of a JSON object, each without its braces, as one record. Returns it.
local function add_record(parts)
  local text = '{' .. table.concat(parts, ',') .. '}'
  call('XADD', P .. 'records', 'MAXLEN', '~', kept_records, '*', 'r', text)
  return text
end

local function streamer_parts(parts, key, node)
  parts[#parts + 1] = '"streamer":' .. cjson.encode(key)
  if node and node ~= '' then parts[#parts + 1] = '"node":' .. cjson.encode(node) end
end

-- Returns the record of a session as the parts of a JSON object, or nil for an unknown one. `cause` is why the store
-- ended it, if no service has given a reason; `code` is its close code as text, or nil. `node` is that of a streamer
-- that has just been removed.
local function record_of(session, cause, code, node)
  local t = call('HMGET', P .. 't:' .. session, 'app', 'k', 'arr', 'since', 'rec', 'facts', 'by')
  if not t[1] then return end
  local key, started = t[2], t[5]
  local parts = { '"session":' .. cjson.encode(session), '"app":' .. cjson.encode(t[1]),
    '"queuedAt":' .. in_seconds(t[3]), '"endedAt":' .. in_seconds(now_text) }
  if key ~= '' then
    parts[#parts + 1] = '"matchedAt":' .. in_seconds(t[4])
    streamer_parts(parts, key, node or (look_up(key, 'node')))
  end
  if started then parts[#parts + 1] = started end
  local facts = reported_facts[session] or t[6]
  if facts and facts ~= '{}' then parts[#parts + 1] = facts:sub(2, -2) end
  if t[7] then parts[#parts + 1] = '"operator":' .. cjson.encode(t[7]) end
  if cause then parts[#parts + 1] = '"cause":"' .. cause .. '"' end
  if code and code ~= '' then parts[#parts + 1] = '"code":' .. code end
  return parts
end

-- Records the end of a session that has a ticket, before that is deleted. The arguments are those of record_of().
local function record_end(session, cause, code, node)
  local parts = kept_records and record_of(session, cause, code, node)
  if parts then recorded, recorded_text = session, add_record(parts) end
end

-- Records the end of a session without a ticket, whose player dialled its signalling server itself. `facts` is the
-- last report of it, as JSON.
local function record_direct_end(session, s, facts)
  if not kept_records then return end
  local parts = { '"session":' .. cjson.encode(session), '"app":' .. cjson.encode(s.app),
    '"endedAt":' .. in_seconds(now_text), facts:sub(2, -2) }
  streamer_parts(parts, s.key, s.node)
  add_record(parts)
end

-- Takes what a server reports of its sessions: `changed` has their ids, each followed by a JSON object. It is stored with
-- the ticket, unless the session has ended: this report then ends it.
local function take_session_facts(changed)
  for i = 1, #changed, 2 do
    local session, facts = changed[i], changed[i + 1]
    reported_facts[session] = facts
    if not facts:find('"ending":', 1, true) and call('EXISTS', P .. 't:' .. session) == 1 then
      call('HSET', P .. 't:' .. session, 'facts', facts)
    end
  end
end
