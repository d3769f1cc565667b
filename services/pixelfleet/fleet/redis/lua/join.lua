-- Gives a ticket a streamer at once, or a place in its queue.
-- ARGV[2] session  [3] replica, or empty for a reservation  [4] app  [5] selector  [6] wants
-- ARGV[7] 0 for a player, 1 if it may become a spectator, 2 for a spectator
-- ARGV[8] rank without the arrival  [9] the ticket  [10] the player's person, or empty  [11] its client, or empty
-- ARGV[12] 1 for a player that returns to its place, 2 for one that its cookie may bring back to an away session
-- ARGV[13] what its record has from its request, as JSON without braces, or empty
-- ARGV[14...] the limits of its person and tenant, each a name, sessions, seconds
-- Returns the held lease of such a session, {session, arrival, ticket, wants, replica} for a place, a lease, 'sessions'
--   or 'minutes' for a limit that is reached, false when no streamer is free for a reservation, 'choices' when the app
--   or the client has too many selectors, 'unknown' when too many unknown apps wait, in all or of the client, 'gone'
--   for a session that is over, 'kicked' for a person that an operator has kicked, or 'lost' for a returning player
--   whose place is no longer kept
expire(ARGV[3])
local session, replica, app, selector, wants, client = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[11]
local T = P .. 't:' .. session

local t = call('HMGET', T, 'st', 'rp')
if t[1] then
  if replica ~= '' and t[2] ~= '' and t[2] ~= replica then  -- its player reconnected through another replica
    if t[1] == 'M' then acknowledge(session, t[2]); announce(session, replica) end
    if t[1] ~= 'H' then
      call('SREM', P .. 'rt:' .. t[2], session)
      call('SADD', P .. 'rt:' .. replica, session)
      register_replica(replica)
      announce_move(session, t[2])
    end
    call('HSET', T, 'rp', replica)
  end
  return answer(placed(session))
end

local kept = ARGV[12] == '1' and kept_arrival(session)
if ARGV[12] == '1' and not kept then return answer('lost') end
if ARGV[10] ~= '' and call('EXISTS', P .. 'kicked:' .. ARGV[10], P .. 'away:' .. ARGV[10]) > 0 then
  if call('EXISTS', P .. 'kicked:' .. ARGV[10]) == 1 then return answer('kicked') end
  local held = ARGV[12] == '2' and wants == '' and take_away_session(ARGV[10], app, selector)
  if held then return answer(held) end
end
local over = refused_by_limit(14, ARGV)
if over then return answer(over) end
wants = resolve_wanted(app, wants)
if wants == '' then
  local refusal = register_selector(app, selector, replica == '' and is_known or may_wait, client)
  if refusal then return answer((replica ~= '' or refusal == 'choices') and refusal) end
end
local key, spectator
if not warming_up and not backlog then key, spectator = choose(app, selector, wants, ARGV[7]) end
if not key and replica == '' then return answer(false) end
if not key then
  if is_over(app, wants) then return answer('gone') end
  if not may_wait(app, client) then return answer('unknown') end
  if wants == '' and not may_choose(app, selector, client) then return answer('choices') end
end

local arrival = kept or now_text
if kept then
  call('DEL', P .. 'place:' .. session)
  if kept_records then call('ZREM', DUE, 'x:' .. session) end
else
  if last_arrival >= now then arrival = int(last_arrival + 1) end
  call('HSET', P .. 'epoch', 'last', arrival)
end
local lane, rank = lane_of(app, selector, wants), int(ARGV[8] + arrival)
local facts = { 'rp', replica, 'app', app, 'sel', selector, 'want', wants, 'share', ARGV[7], 'lane', lane, 'rank', rank,
  'arr', arrival, 'tk', ARGV[9], 'av', '' }
if ARGV[14] then begin_use(session, ARGV[9]) end
if ARGV[13] ~= '' then
  facts[#facts + 1] = 'rec'
  facts[#facts + 1] = ARGV[13]
end
if replica ~= '' then
  call('SADD', P .. 'rt:' .. replica, session)
  register_replica(replica)
end
if key then
  local _, _, deadline = assign(session, key, 'C', spectator, replica, replica == '' and PAGE_ARRIVAL or nil, facts)
  add_session_event('matched', session)
  return answer(lease(session, replica, key, 'C', spectator and '1' or '0', now_text, arrival, deadline))
end
enqueue(session, lane, rank, app, arrival, facts, client)
add_session_event('queued', session, 'again', kept and '1')
return answer({ session, arrival, ARGV[9], wants, replica })
