-- Begins or ends an operator drain. ARGV[2] streamer  [3] 1 to begin, 0 to end
-- Returns 1, or 0 for an unknown streamer
expire()
local key = ARGV[2]
local s = streamer(key)
if not s then return answer(0) end
call(ARGV[3] == '1' and 'SADD' or 'SREM', P .. 'back', key)
s.hb = ARGV[3]
serve(key)
return answer(1)
