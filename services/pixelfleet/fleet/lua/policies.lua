-- Says how free streamers are chosen. ARGV[2...] app, policy, app, policy...
local wanted = {}
for i = 2, #ARGV, 2 do wanted[ARGV[i]] = ARGV[i + 1] end
for _, app in ipairs(call('SMEMBERS', P .. 'apps')) do
  local before, after = policy(app), wanted[app] or 'spread'
  if before ~= after then
    call('HSET', P .. 'policies', app, after)
    policies[app] = after
    for _, key in ipairs(call('ZRANGE', index(app, ''), 0, -1)) do refresh(key) end
  end
end
call('DEL', P .. 'policies')
if #ARGV > 1 then call('HSET', P .. 'policies', unpack(ARGV, 2)) end
return answer(1)
