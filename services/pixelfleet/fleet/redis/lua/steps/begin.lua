-- The files of this folder are common to all scripts and precede each of them. A Redis server runs them, and
-- fleet/memory runs the same text in its own process. The bounds (redis/scripts.py) precede this file.
--
-- KEYS[1]  the prefix of all keys
-- ARGV[1]  the time in microseconds; empty, except in tests, for the server's clock
--
--   epoch              hash    id, since, until (matching begins then), recovered (the recovery from a reset ends then,
--                              and legacy streamers may be free), run (run id of the server process), last (the
--                              latest arrival), pol (the policies, in one field), unk (the waiting tickets of unknown
--                              apps), r:REPLICA (time of that replica's last renewal), events (the time until which
--                              events are written, and how many are kept), event (the number of the latest event), rec
--                              (the number of records that are kept; missing for none)
--   due                zset    expiry times: v:server, r:replica, l:session, a:streamer (quarantined or withheld),
--                              p:app (unused), b:streamer (operator drain of a streamer that is gone),
--                              e: (run catch_up), u: (run recount_unknown), x:session (its place is no longer kept)
--   v:SERVER           hash    seq, fence, owner, digest, keys (json), end (end:SERVER is not empty)
--   s:STREAMER         hash    one streamer: its report (rep), its facts, and its share of indexes and totals
--   sl:STREAMER        set     sessions with a lease that the server has not reported
--   sh:STREAMER        set     sessions with a lease that the server has reported
--   t:SESSION          hash    a ticket, and its lease if it has one; st is W(aiting), M(atched), C(laimed), H(eld);
--                              rec and facts are the parts of its record that its matchmaker and its server know
--   place:SESSION      hash    the place of a lost player (with a TTL): arr (its arrival), until (it is kept until
--                              then), r (the record of its session, unless it returns)
--   away:PERSON        hash    the session of a person that is away (with a TTL), if a cookie may bring it back
--   replicas           set     the replicas that are alive
--   rt:REPLICA         set     sessions of a replica;  new:REPLICA  list  matched sessions, not yet fetched
--   rv:REPLICA         set     legacy servers whose link a replica holds;  said:REPLICA  set  sessions restored so far
--   lane:LANE          zset    waiting sessions by rank;  lanes  zset  lanes that are not empty, by last catch_up
--   wait:APP           zset    waiting sessions by arrival;  want:APP  zset  those that want one particular streamer
--   free:APP|SELECTOR  zset    streamers with a free slot, in the order of the policy
--   ready:APP          zset    streamers that are ready and not drained, by number of spectators
--   unusable:APP       zset    streamers with slots that exist and take no player, by their number
--   sel:APP            zset    selectors, by last use;  fit:APP  hash  the streamers that satisfy each, free or not
--   all:APP            set     its streamers;  ep:APP|ENDPOINT  set  those with that endpoint id
--   node:APP|NODE      set     streamers of that machine;  busy:APP  hash  used slots by machine
--   audit              list    changes of operators, newest first, each with its time before it
--   events             stream  the latest events (steps/events.lua)
--   webhooks           hash    for each webhook: `NAME sender`, `NAME until` (it has the lead until then), `NAME at`
--                              (the stream id of the latest delivered event, and its number)
--   records            stream  ended sessions
--   libraries          zset    function libraries, by the time of their last load (redis/libraries.py)
--   tot:APP, ends:APP, policies, back (operator-drained streamers), end:OWNER (sessions to end, and
--   moved:SESSION where a player has returned through another replica, extend:SECONDS:TIME:SESSION), kicked:PERSON (with a TTL)
--   use:NAME           set     the sessions of a person or tenant with limits;  day:NAME  hash  its use of a day (with a
--                              TTL): day (since 1970, UTC), used (microseconds of sessions that have ended)
--   apps               set     apps that have or had a streamer, or have a policy; they are unused for a time before
--                              they are removed;  unknown  set  other apps, while they have a waiting ticket
--   unknown:APP        set     the lanes of such an app, which are not in `lanes`
--   claims             hash    unknown apps, each with the client that was the first to wait for it
--   claims:APP         hash    selectors with waiting tickets, each with the client that was the first to use it
--
-- Keys without an owner are deleted when their app has been unused for some time (p:), or have a TTL.
local US, RS = '\31', '\30'
-- Formats whole numbers as Redis does: tostring keeps 14 digits, and `%d` is exact only where a C long has 64 bits.
local WHOLE = ('%d'):format(2 ^ 40) == '1099511627776' and '%d' or '%.0f'
local SMALL = {}  -- most are counts
local function int(n)
  local text = SMALL[n]
  if not text then
    text = WHOLE:format(n)
    if n > -100 and n < 100 then SMALL[n] = text end
  end
  return text
end

-- The state of one call, which begin() resets: in a library these variables live from call to call. Numbers go to
-- Redis as text where possible, because its conversion of a Lua number costs as much as a small command.
local P, DUE, call, now, now_text
local streamers, wake_counts, policies, selectors, known_apps, requeued, any_waiting
-- Set by expire(): whether the store is warming up, the start of matching, the time until which it recovers from a
-- reset (legacy streamers are not free before), the latest arrival, whether the limits of a call have left tickets
-- unmatched, the policies (nil when only the previous release wrote them), the time of the calling replica's last
-- renewal, the number of waiting tickets of unknown apps, and how many events are kept (nil while none are written).
local warming_up, matching_from, recovers_until, last_arrival, backlog, all_policies, last_renewal, unknown_waiting
local events_kept

local function begin(keys, words)
  P, call = keys[1], redis.call
  DUE = P .. 'due'
  now_text = words[1]
  if now_text == '' then
    local t = call('TIME')
    now_text = t[1] .. ('00000' .. t[2]):sub(-6)
  end
  now = tonumber(now_text)
  streamers, wake_counts, policies, selectors, known_apps, requeued, any_waiting = {}, {}, {}, {}, {}, {}, {}
  warming_up, matching_from, recovers_until, last_arrival, backlog = false, 0, 0, 0, false
  all_policies, last_renewal, unknown_waiting, events_kept = nil, nil, 0, nil
end

-- Begins an epoch. `recovery` is the time in which leases from before it may still be used; 0 if there were none.
local function begin_epoch(run, recovery)
  matching_from, recovers_until = now + WARM_UP, now + recovery
  call('HSET', P .. 'epoch', 'id', now_text, 'since', now_text, 'until', int(matching_from), 'recovered',
    int(recovers_until), 'run', run)
  call('ZADD', DUE, int(matching_from), 'e:')
end

-- Returns whether servers and replicas may still have to repeat what a reset store has lost.
local function are_reports_missing() return now < math.max(matching_from, recovers_until) end

local function schedule_catch_up()
  backlog = true
  call('ZADD', DUE, now_text, 'e:')
end
