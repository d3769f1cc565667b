-- Sets the policy of each app. ARGV[2...] app, policy, app, policy...
expire()
local wanted, before = {}, {}
for i = 2, #ARGV, 2 do wanted[ARGV[i]] = ARGV[i + 1] end
local apps = call('SMEMBERS', P .. 'apps')
for _, app in ipairs(apps) do before[app] = policy(app) end
call('DEL', P .. 'policies')
local all = RS
for app, chosen in pairs(wanted) do
  call('HSET', P .. 'policies', app, chosen)
  all = all .. app .. US .. chosen .. RS
end
call('HSET', P .. 'epoch', 'pol', all)
for _, app in ipairs(apps) do
  policies[app] = wanted[app] or 'spread'
  if policies[app] ~= before[app] then
    for _, key in ipairs(call('ZRANGE', index(app, ''), 0, -1)) do
      local s = streamer(key)
      refresh(s)
      write(s)
      streamers[key] = nil  -- frees memory: there may be thousands
    end
  end
end
all_policies = all
for _, app in ipairs(call('SMEMBERS', P .. 'unknown')) do is_known(app) end  -- registers those that are declared now
return answer(1)
