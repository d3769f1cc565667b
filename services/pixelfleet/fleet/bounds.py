"""All bounds of the fleet store. redis/scripts.py passes those of the scripts in `redis/lua` to them.

Each has a test that exceeds it, with its number written out: tests/unit/pixelfleet/fleet/test_bounds.py.
"""

from typing import Final

# -- heartbeats -------------------------------------------------------------------------------------

HEARTBEAT_SECONDS: Final = 2.0
"""The interval at which a server repeats its report."""

RENEW_SECONDS: Final = 1.0
"""The interval of a matchmaker replica's heartbeat; also the longest delay of a match by a lost announcement."""

EXPIRY_SECONDS: Final = 6.0
"""A report that is not repeated expires after this time: three heartbeats."""

# -- leases -----------------------------------------------------------------------------------------

CLAIM_SECONDS: Final = 1.0
"""The time within which a replica must claim the lease of a matched ticket."""

ARRIVAL_SECONDS: Final = 10.0
"""The time within which the player of a claimed lease must arrive at its signalling server."""

PAGE_ARRIVAL_SECONDS: Final = 45.0
"""The same for a reservation, whose page may have to be loaded first."""

WARM_UP_SECONDS: Final = 2.5
"""The time after a store reset without matches, so that every replica can restore its sessions first."""

AWAY_SECONDS: Final = 120
"""The time for which a cookie can bring a player back to an away session."""

# -- exclusion and quarantine -----------------------------------------------------------------------

MAX_EXCLUDED: Final = 8
"""Streamers that one ticket excludes at a time; a further one replaces the oldest.

Also the replicas with failed dials that are stored for a streamer.
"""

FIRST_QUARANTINE_SECONDS: Final = 1.0
LONGEST_QUARANTINE_SECONDS: Final = 60.0
"""The length of an exclusion or a quarantine. It begins with the first value and doubles with each failure."""

FAILURE_SECONDS: Final = 120.0
"""A failed dial counts as the predecessor of the next one for this time."""

MAX_FAILURES: Final = 16
"""The highest count of failed dials in a row; a quarantine has its longest time long before that."""

FAILED_REPLICAS: Final = 2
"""Replicas that must fail to reach a streamer before it is quarantined; one if there is only one."""

# -- selectors, and unused apps ---------------------------------------------------------------------

MAX_SELECTORS: Final = 64
"""Different selectors among one app's waiting tickets; a further one is refused."""

MAX_SELECTORS_OF_CLIENT: Final = 8
"""Selectors with waiting tickets, but without a streamer, that one client may be the first to use in one app."""

SELECTOR_USE_SECONDS: Final = 1.0
"""The resolution of a selector's last use. The least recently used selector is dropped for a new one."""

UNUSED_SECONDS: Final = 3600.0
"""An app without streamers and tickets, and the operator drain of a missing streamer, are kept for this time."""

MAX_UNKNOWN_APPS: Final = 64
"""Apps with waiting tickets that never had a streamer and are in no settings; tickets of a further one are refused."""

MAX_UNKNOWN_APPS_OF_CLIENT: Final = 8
"""Those of them for which one client was the first to wait, so that no client keeps others out."""

RECOUNT_SECONDS: Final = 60.0
"""The interval at which the record of these apps is corrected."""

SESSION_ID_LENGTH: Final = 32
"""Hexadecimal digits of a session's id."""

# -- ranks ------------------------------------------------------------------------------------------

MAX_PRIORITY: Final = 7

RANK_EPOCH: Final = 1_767_225_600
"""2026-01-01 in unix time: ranks count from here, so that they stay small."""

# -- positions and estimates ------------------------------------------------------------------------

EXACT_POSITIONS: Final = 50
"""Positions in a lane that are given exactly."""

MARK_GROWTH: Final = 1.25
"""The ratio of each further position that is given to the one before it."""

KEPT_ENDS: Final = 128
ENDS_AFTER_CUT: Final = 64
"""Latest ends of an app's sessions, stored to estimate waits. Above the first number they are cut to the second."""

# -- limits of one call, which keep its duration short ----------------------------------------------

LOOK_AHEAD: Final = 64
"""Tickets of a lane that are examined for one that does not exclude a free streamer."""

SERVED_AT_ONCE: Final = 64
"""Waiting tickets that are matched with one streamer."""

PLACED_AT_ONCE: Final = 256
LANES_AT_ONCE: Final = 64
"""Tickets, and lanes, that are examined when any of them may be matched."""

DUE_AT_ONCE: Final = 32
"""Due facts that are handled."""

SESSIONS_AT_ONCE: Final = 500
SERVERS_AT_ONCE: Final = 100
"""Sessions, and legacy servers, that are dropped with their replica."""

RESTORE_CHUNK: Final = 500
"""Sessions of a replica that are restored."""

RESTORE_SECONDS: Final = 60
"""The time that the list of restored sessions is kept between two calls of a restore."""

READ_CHUNK: Final = 500
"""Keys that are read for a snapshot before other calls run."""

# -- records ----------------------------------------------------------------------------------------

RECORDS_CHUNK: Final = 500
"""Records of ended sessions that are read before other calls run."""

# -- audit ------------------------------------------------------------------------------------------

AUDIT_EVENTS: Final = 1000
"""Changes of operators that are stored. A further one replaces the oldest."""

# -- events -----------------------------------------------------------------------------------------

EVENTS_LAST_SECONDS: Final = 86_400.0
"""Events are written for this time after a matchmaker has asked for them, so that one that is down misses none."""

MAX_EVENTS: Final = 1_000_000
"""Events that the settings may have the store keep. A further one replaces the oldest."""

# -- function libraries -----------------------------------------------------------------------------

LIBRARY_SECONDS: Final = 86_400
"""A function library that no release has loaded for this time is deleted from Redis at the next connection."""

LIBRARY_LIST_SECONDS: Final = 90 * 86_400
"""The time to live of the list of libraries, which each connection renews."""

# -- limits of persons and tenants ------------------------------------------------------------------

DAY_SECONDS: Final = 86_400
"""The period of the minutes a day; it begins at midnight, UTC."""

USE_KEPT_SECONDS: Final = 2 * DAY_SECONDS
"""The use of a day is stored for this time after its last change."""

# -- single use -------------------------------------------------------------------------------------

MAX_REDEEMED: Final = 100_000
"""Redeemed names in the store in memory; a further one is refused. On Redis, `maxmemory` is the limit."""
