"""Every bound of the fleet store, once. The scripts of `redis/lua` are given those they use (redis/scripts.py).

Each has a test that exceeds it, with its number written out: tests/unit/pixelfleet/fleet/test_bounds.py.
"""

from typing import Final

# -- heartbeats -------------------------------------------------------------------------------------

HEARTBEAT_SECONDS: Final = 2.0
"""How often a server repeats its report."""

RENEW_SECONDS: Final = 1.0
"""How often a matchmaker replica says that it is alive; also how long a lost announcement can delay a match."""

EXPIRY_SECONDS: Final = 6.0
"""How long a report holds without being repeated: three heartbeats."""

# -- promises ---------------------------------------------------------------------------------------

CLAIM_SECONDS: Final = 1.0
"""How long the replica that holds a matched ticket has to claim the lease."""

ARRIVAL_SECONDS: Final = 10.0
"""How long a claimed session's player has to arrive at its signalling server."""

PAGE_ARRIVAL_SECONDS: Final = 45.0
"""The same for a page that dials by itself, which a person may first have to load."""

WARM_UP_SECONDS: Final = 2.5
"""How long a store without any data matches nobody, so that every replica can restore its sessions first."""

# -- streamers that cannot be reached ---------------------------------------------------------------

MAX_EXCLUDED: Final = 8
"""Streamers that one ticket remembers it could not reach; the oldest is forgotten for a further one.

Also the replicas that a streamer remembers it could not be reached by.
"""

FIRST_QUARANTINE_SECONDS: Final = 1.0
LONGEST_QUARANTINE_SECONDS: Final = 60.0
"""A streamer that could not be reached is left alone for the first time, then twice as long each time."""

FAILURE_SECONDS: Final = 120.0
"""How long a failed dial counts towards the next one."""

MAX_FAILURES: Final = 16
"""Failed dials in a row that are counted; the time grows no more long before that."""

FAILED_REPLICAS: Final = 2
"""Replicas that must fail to reach a streamer until no player is sent there; one where there is only one."""

# -- choices of labels, and unused apps -------------------------------------------------------------

MAX_SELECTORS: Final = 64
"""Choices of labels that one app's waiting players may differ in; a further one is refused."""

SELECTOR_USE_SECONDS: Final = 1.0
"""How precisely the last use of a choice of labels is known; the least recently used one makes room for another."""

UNUSED_SECONDS: Final = 3600.0
"""How long an app without streamers and players is still counted, and a streamer that is gone stays held back."""

# -- ranks ------------------------------------------------------------------------------------------

MAX_PRIORITY: Final = 7

RANK_EPOCH: Final = 1_767_225_600
"""2026-01-01 in unix time: ranks count from here, so that they stay small."""

# -- what players are told of a queue ---------------------------------------------------------------

EXACT_POSITIONS: Final = 50
"""Places in a queue that are given exactly."""

MARK_GROWTH: Final = 1.25
"""Behind those, each place that is given is this many times the one before."""

KEPT_ENDS: Final = 128
ENDS_AFTER_CUT: Final = 64
"""The latest ends of sessions of an app are kept to estimate a wait. Above the one number they are cut to the other."""

# -- what one call does at most, so that none takes long --------------------------------------------

LOOK_AHEAD: Final = 64
"""How far behind the head of a lane a free streamer looks for a ticket that does not avoid it."""

SERVED_AT_ONCE: Final = 64
"""Waiting tickets that one streamer is given to."""

PLACED_AT_ONCE: Final = 256
LANES_AT_ONCE: Final = 64
"""Tickets, and lanes, that are looked at where any of them may find a streamer."""

DUE_AT_ONCE: Final = 32
"""Facts whose time is over that lapse."""

SESSIONS_AT_ONCE: Final = 500
SERVERS_AT_ONCE: Final = 100
"""Sessions, and legacy servers, that are dropped with the replica that held them."""

RESTORE_CHUNK: Final = 500
"""Sessions of a replica that are restored."""

RESTORE_SECONDS: Final = 60
"""How long the store remembers what a replica has restored so far, until the replica's last call."""

READ_CHUNK: Final = 500
"""Keys that are read for a snapshot before other calls go on."""

# -- what may be used once --------------------------------------------------------------------------

MAX_REDEEMED: Final = 100_000
"""Things used up that the store in memory remembers, where Redis has its `maxmemory`. Beyond it none can be used."""
