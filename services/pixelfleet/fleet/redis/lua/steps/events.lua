-- Events: the changes of sessions and streamers, in their order, for webhooks and listeners. Nothing is written, and
-- nothing is read, while no replica asks for events.
--
-- An entry of the stream has the fields k (kind), s (session or streamer), n (its number, by which a reader finds that
-- others are lost), at (time in microseconds), and facts of its kind.

-- Reads the field of the epoch that asks for events: the time until which they are written, and how many are kept.
local function set_events(text)
  local until_text, kept = text:match('^(%d+) (%d+)$')
  if tonumber(until_text) > now then events_kept = kept end
end

local function add_event(kind, name, ...)
  local number = call('HINCRBY', P .. 'epoch', 'event', '1')
  call('XADD', P .. 'events', 'MAXLEN', '=', events_kept, '*', 'k', kind, 's', name, 'n', int(number), 'at', now_text,
    ...)
end

-- Adds an event of a session that has a ticket. `fact` and `value` are a further fact, if the value is not nil.
local function add_session_event(kind, session, fact, value)
  if not events_kept then return end
  local t = call('HMGET', P .. 't:' .. session, 'app', 'k', 'sh', 'arr', 'st', 'tk')
  if not t[1] then return end
  local words = { 'app', t[1], 'streamer', t[2] or '', 'sh', t[3] or '', 'arr', t[4] or '',
    'person', t[6] and t[6]:match('"person":"(%x+)"}$') or '' }
  if kind == 'ended' then
    fact, value = 'state', value or t[5]
  end
  if value then
    words[#words + 1] = fact
    words[#words + 1] = value
  end
  if kind == 'ended' and recorded == session then
    words[#words + 1] = 'record'
    words[#words + 1] = recorded_text
  end
  add_event('session.' .. kind, session, unpack(words))
end

local function add_streamer_event(kind, s, fact, value)
  if events_kept then
    add_event('streamer.' .. kind, s.key, 'app', s.app, 'node', s.node, fact or 'ep', value or s.ep)
  end
end

-- Adds an event for each session that is new in a list of a report, and with `over` for each that is no longer in it.
-- `field` is the name of the list in the last report. An entry is a session, or a session with a fact after a space.
local function add_changes(field, kind, last_report, json, present, over)
  local last = last_report:match('"' .. field .. '":(%b[])') or '[]'
  if last == json then return end
  local before, after = {}, {}
  for _, entry in ipairs(cjson.decode(last)) do before[entry] = true end
  for _, entry in ipairs(cjson.decode(json)) do
    after[entry] = true
    if not before[entry] then
      local session, fact = entry:match('^(%S+) ?(.*)$')
      add_session_event(kind, session, 'limit', fact ~= '' and fact or nil)
    end
  end
  if not over then return end
  for _, entry in ipairs(cjson.decode(last)) do
    if not after[entry] and present[entry] then add_session_event(over, entry) end
  end
end
