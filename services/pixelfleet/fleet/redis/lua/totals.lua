-- Returns the totals of each known app, and the number of waiting tickets of the unknown ones.
-- Returns {now, 1 if warming up, waiting tickets of unknown apps, app, streamers, slots, streamers without a limit,
--   used slots, quarantined streamers, streamers with a free slot, waiting tickets, oldest arrival,
--   tickets that a further streamer would not serve, unusable slots, ...}
expire()
local all = { now_text, warming_up and 1 or 0, unknown_waiting }
local apps = call('SMEMBERS', P .. 'apps')
table.sort(apps)
for _, app in ipairs(apps) do
  local t = call('HMGET', P .. 'tot:' .. app, 'streamers', 'slots', 'unlimited', 'used', 'aside')
  all[#all + 1] = app
  for i = 1, 5 do all[#all + 1] = tonumber(t[i] or 0) end
  all[#all + 1] = call('ZCARD', index(app, ''))
  local waiting, first = call('ZCARD', P .. 'wait:' .. app), call('ZRANGE', P .. 'wait:' .. app, 0, 0, 'WITHSCORES')
  local unscalable = count_unscalable(app, waiting)
  all[#all + 1] = waiting + call('ZCARD', P .. 'want:' .. app)
  all[#all + 1] = first[2] or '0'
  all[#all + 1] = unscalable
  all[#all + 1] = sum_unusable(app)
end
return answer(all)
