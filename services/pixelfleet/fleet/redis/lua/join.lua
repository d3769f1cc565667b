-- Gives a ticket a streamer at once, or a place in its queue.
-- ARGV[2] session  [3] replica, or empty for a page that dials by itself  [4] app  [5] selector  [6] wants
-- ARGV[7] 0, 1 if it may look on, 2 if it only looks on  [8] rank without the arrival  [9] the ticket
-- Returns {session, arrival, ticket, wants, replica} for a place, a lease, false for a page that got nothing, or 'choices'
expire(ARGV[3])
local session, replica, app, selector, wants = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local T = P .. 't:' .. session

local t = call('HMGET', T, 'st', 'rp')
if t[1] then
  if replica ~= '' and t[2] ~= '' and t[2] ~= replica then  -- its player has come back through another replica
    if t[1] == 'M' then heard(session, t[2]); announce(session, replica) end
    if t[1] ~= 'H' then
      call('SREM', P .. 'rt:' .. t[2], session)
      call('SADD', P .. 'rt:' .. replica, session)
      know_replica(replica)
    end
    call('HSET', T, 'rp', replica)
  end
  return answer(placed(session))
end

wants = meant(app, wants)
if wants == '' and not know_choice(app, selector, false) then return answer('choices') end
local key, shared
if not young and not behind then key, shared = choose(app, selector, wants, ARGV[7]) end
if replica == '' and not key then return answer(false) end

local arrival = now_text
if last >= now then arrival = int(last + 1) end
call('HSET', P .. 'epoch', 'last', arrival)
local lane, rank = lane_of(app, selector, wants), int(ARGV[8] + arrival)
local facts = { 'rp', replica, 'app', app, 'sel', selector, 'want', wants, 'share', ARGV[7], 'lane', lane, 'rank', rank,
  'arr', arrival, 'tk', ARGV[9], 'av', '' }
if replica ~= '' then
  call('SADD', P .. 'rt:' .. replica, session)
  know_replica(replica)
end
if key then
  local _, _, deadline = assign(session, key, 'C', shared, replica, replica == '' and PAGE_ARRIVAL or nil, facts)
  return answer(lease(session, replica, key, 'C', shared and '1' or '0', now_text, arrival, deadline))
end
enqueue(session, lane, rank, app, arrival, facts)
return answer({ session, arrival, ARGV[9], wants, replica })
