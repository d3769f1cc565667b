-- Tells the fleet in numbers.
-- Returns {now, 1 if young, app, streamers, slots, unlimited, used, aside, available, waiting, oldest arrival, ...}
expire()
local all = { now_text, young and 1 or 0 }
local apps = call('SMEMBERS', P .. 'apps')
table.sort(apps)
for _, app in ipairs(apps) do
  local t = call('HMGET', P .. 'tot:' .. app, 'streamers', 'slots', 'unlimited', 'used', 'aside')
  all[#all + 1] = app
  for i = 1, 5 do all[#all + 1] = tonumber(t[i] or 0) end
  all[#all + 1] = call('ZCARD', index(app, ''))
  all[#all + 1] = call('ZCARD', P .. 'wait:' .. app)
  all[#all + 1] = call('ZRANGE', P .. 'wait:' .. app, 0, 0, 'WITHSCORES')[2] or '0'
end
return answer(all)
