-- Matches nobody to a streamer any more, or does again. ARGV[2] streamer  [3] 1 for "no more"
-- Returns 1, or 0 when it is not known
expire()
local key = ARGV[2]
local s = streamer(key)
if not s then return answer(0) end
call(ARGV[3] == '1' and 'SADD' or 'SREM', P .. 'back', key)
s.hb = ARGV[3]
serve(key)
return answer(1)
