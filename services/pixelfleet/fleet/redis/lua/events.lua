-- Keeps events on, and takes, keeps or gives up the lead of a sender over the deliveries to one webhook.
-- ARGV[2] the events that are kept  [3] webhook, or empty to keep events on only  [4] sender
-- ARGV[5] the time for which it has the lead, in microseconds; 0 to give it up
-- ARGV[6] the position that it knows: the stream id of a delivered event and its number; empty for none
-- ARGV[7] 1 if it is the position until which this sender has delivered
-- Returns {1 if the sender has the lead, the stored position, the number of the latest event,
--   1 if the store has lost the position, which then begins anew}
expire()
call('HSET', P .. 'epoch', 'events', int(now + EVENTS_LAST) .. ' ' .. ARGV[2])
local name, sender, position = ARGV[3], ARGV[4], ARGV[6]
local latest = tonumber(call('HGET', P .. 'epoch', 'event') or 0)
if name == '' then return answer({ 0, '', latest, 0 }) end

local w = call('HMGET', P .. 'webhooks', name .. ' sender', name .. ' until', name .. ' at')
local stored, lost = w[3], 0
if not stored then
  if position == '' then
    local last = call('XREVRANGE', P .. 'events', '+', '-', 'COUNT', '1')[1]
    stored = (last and last[1] or '0-0') .. ' ' .. int(latest)
  else
    stored, lost = '0-0 0', 1
  end
  call('HSET', P .. 'webhooks', name .. ' at', stored)
end
if w[1] and w[1] ~= sender and tonumber(w[2]) > now then return answer({ 0, stored, latest, lost }) end
if ARGV[7] == '1' and w[1] == sender and lost == 0 then
  stored = position
  call('HSET', P .. 'webhooks', name .. ' at', stored)
end
call('HSET', P .. 'webhooks', name .. ' sender', sender, name .. ' until', int(now + ARGV[5]))
return answer({ ARGV[5] ~= '0' and 1 or 0, stored, latest, lost })
