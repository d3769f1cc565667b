-- Tells of queues what players are told. ARGV[2...] lanes
-- Returns for each {length, {first sessions...}, {rank, place, rank, place...}, ends, microseconds that they took}
local views = {}
for i = 2, #ARGV do
  local key = P .. 'lane:' .. ARGV[i]
  local length = call('ZCARD', key)
  local marks, at = {}, EXACT_POSITIONS
  while at < length do
    local mark = call('ZRANGE', key, at, at, 'WITHSCORES')
    marks[#marks + 1] = mark[2]; marks[#marks + 1] = at + 1
    at = math.max(at + 1, math.floor(at * 1.25))
  end
  if length > EXACT_POSITIONS then
    local mark = call('ZRANGE', key, -1, -1, 'WITHSCORES')
    marks[#marks + 1] = mark[2]; marks[#marks + 1] = length
  end
  local ends = P .. 'ends:' .. ARGV[i]:match('^[^' .. US .. ']*')
  local count, oldest = call('LLEN', ends), call('LINDEX', ends, -1)
  views[#views + 1] = { length, call('ZRANGE', key, 0, EXACT_POSITIONS - 1), marks, count,
    oldest and int(now - tonumber(oldest)) or '0' }
end
return answer(views)
