-- Adds an event to the audit list, newest first, and cuts the list. ARGV[2] the event
-- A stored event begins with its time in microseconds, which no other event has: it is the id of the event.
local newest = call('LINDEX', P .. 'audit', 0)
local at = newest and math.max(now, tonumber(newest:match('^%d+')) + 1) or now
call('LPUSH', P .. 'audit', int(at) .. ' ' .. ARGV[2])
call('LTRIM', P .. 'audit', 0, AUDIT_EVENTS - 1)
return 1
