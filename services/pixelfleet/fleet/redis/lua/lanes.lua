-- Returns the positions and rates that players are shown. ARGV[2...] lanes
-- Returns for each {length, {first sessions...}, {rank, place, rank, place...}, ended sessions, microseconds from the
--   first to the last of these ends, 1 if a streamer serves it, free or not; 1 also while reports may be missing}
expire()
local views = {}
for i = 2, #ARGV do
  local key = P .. 'lane:' .. ARGV[i]
  local length = call('ZCARD', key)
  local marks, at = {}, EXACT_POSITIONS
  local function mark(place)
    marks[#marks + 1] = call('ZRANGE', key, place, place, 'WITHSCORES')[2]
    marks[#marks + 1] = place + 1
  end
  while at < length - 1 do
    mark(at)
    at = math.max(at + 1, math.floor(at * MARK_GROWTH))
  end
  if length > EXACT_POSITIONS then mark(length - 1) end
  local ends = P .. 'ends:' .. ARGV[i]:match('^[^' .. US .. ']*')
  local count, newest, oldest = call('LLEN', ends), call('LINDEX', ends, 0), call('LINDEX', ends, -1)
  if newest and now - tonumber(newest) >= UNUSED then count, oldest = 0, nil end
  local span = oldest and int(tonumber(newest) - tonumber(oldest)) or '0'
  views[#views + 1] = { length, call('ZRANGE', key, 0, EXACT_POSITIONS - 1), marks, count,
    span, (are_reports_missing() or is_served(ARGV[i])) and 1 or 0 }
end
return answer(views)
