-- The files of this folder stand before each script: the steps that changes of the fleet are made of. A Redis server runs
-- them, and fleet/memory runs the same text in its own process. The bounds (redis/scripts.py) stand before this file.
--
-- KEYS[1]  the prefix of all keys, with the hash tag: all of them live in one slot
-- ARGV[1]  the time in microseconds; empty for this server's clock, as everywhere but in tests
--
--   epoch              hash    id, since, until (matching begins then), run (the server process that it was seen on),
--                              last (the latest arrival), pol (the policies, to be read with the rest), r:REPLICA (when
--                              that replica last said that it is alive)
--   due                zset    what lapses when: v:server, r:replica, l:session, a:streamer (set aside), p:app (unused),
--                              b:streamer (held back, but gone), e: (there is somebody to catch up with)
--   v:SERVER           hash    seq, fence, owner, digest, keys (json), end (there are sessions to end)
--   s:STREAMER         hash    one streamer: report as sent (rep), its facts, and what they add to indexes and totals
--   sl:STREAMER        set     sessions with a lease that the server has not reported
--   sh:STREAMER        set     sessions with a lease that the server has reported
--   t:SESSION          hash    a ticket, and its lease if it has one; st is W(aiting), M(atched), C(laimed), H(eld)
--   replicas           set     the replicas that are alive
--   rt:REPLICA         set     sessions of a replica;  new:REPLICA  list  those that were matched and not yet fetched
--   rv:REPLICA         set     stock servers whose link a replica holds;  said:REPLICA  set  while it restores
--   lane:LANE          zset    waiting sessions by rank;  lanes  zset  the lanes that are not empty, by the last look
--   wait:APP           zset    waiting sessions by arrival
--   free:APP|SELECTOR  zset    streamers with a free slot, in the order in which they are taken
--   ready:APP          zset    streamers that are ready and not draining, by onlookers
--   sel:APP            zset    choices of labels that players have asked for, by last use
--   all:APP            set     its streamers;  ep:APP|ENDPOINT  set  those of that name
--   node:APP|NODE      set     streamers of that machine;  busy:APP  hash  used slots by machine
--   tot:APP, ends:APP, apps, policies, back (streamers that an operator holds back), end:OWNER (sessions to end)
--
-- What has no owner of its own goes when its app has been unused for some time (p:), or has a TTL.
local US, RS = '\31', '\30'
-- Whole numbers as Redis writes them: Lua's own tostring keeps 14 digits only, and `%d` all where a C long has them.
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

-- What follows belongs to one call: where these steps stay from call to call, begin() makes it anew. Redis is given
-- numbers as text, where there is one: to print a Lua number takes it as long as a small command.
local P, DUE, call, now, now_text
local streamers, woken, policies, selectors, returned, asked_for
-- Set by expire(): whether nothing is matched yet, since when it is, the latest arrival, and whether somebody waits who
-- would be served if this call were allowed to take longer; the policies, if they are known to it; when the replica
-- that asks last said that it is alive.
local young, matching, last, behind, all_policies, spoke

local function begin(keys, words)
  P, call = keys[1], redis.call
  DUE = P .. 'due'
  now_text = words[1]
  if now_text == '' then
    local t = call('TIME')
    now_text = t[1] .. ('00000' .. t[2]):sub(-6)
  end
  now = tonumber(now_text)
  streamers, woken, policies, selectors, returned, asked_for = {}, {}, {}, {}, {}, nil
  young, matching, last, behind, all_policies, spoke = false, 0, 0, false, nil, nil
end

local function begin_epoch(run, hold)
  matching = now + hold
  call('HSET', P .. 'epoch', 'id', now_text, 'since', now_text, 'until', int(matching), 'run', run)
  call('ZADD', DUE, int(matching), 'e:')
end

local function stays_behind()
  behind = true
  call('ZADD', DUE, now_text, 'e:')
end
