"""The operations of the matchmaker's REST interface."""

from typing import Annotated, Any, Final, Literal

from msgspec import Meta

from matchmaker.http import record_schemas, schemas
from matchmaker.webhooks.contract import WEBHOOKS
from pixelfleet.fleet.bounds import AUDIT_EVENTS
from pixelfleet.fleet.events import Event
from pixelfleet.fleet.invites import DEFAULT_SECONDS
from pixelfleet.net.extension import MAX_EXTENSION_SECONDS
from pixelfleet.net.http import HEALTH
from pixelfleet.net.openapi import Access, Answer, Contract, Error, Operation, Parameter
from pixelfleet.protocol.people import InvitedRole, InviteName, InviteSeconds

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000
API: Final = "/api/v1"
Limit = Annotated[int, Meta(ge=1, le=MAX_LIMIT)]

NOT_FOUND: Final = {404: Answer("No such streamer or session", (Error,), name="NotFound")}
BAD_REQUEST: Final = {400: Answer("A parameter is not valid", (Error,), name="BadRequest")}
UNAVAILABLE: Final = {503: Answer("Temporarily unavailable; the error gives the reason", (Error,), name="Unavailable")}
RETRY_PAGE: Final = {
    503: Answer("In redirect mode: a page that reloads itself, or players cannot be authenticated", (Error,), html=True)
}

PAGED: Final = (
    Parameter("limit", "length of the page", Limit, default=DEFAULT_LIMIT),
    Parameter("after", "`next` of the previous page"),
    Parameter("app", "only items of this application"),
)
STREAMER_ID: Final = Parameter(
    "id",
    "the streamer's key with its slash as %2F, or an endpoint id that no other streamer has",
    where="path",
)
SESSION_ID: Final = Parameter("id", "the session's id", where="path")
PARTS: Final = (
    Parameter("server", "the server's id: the part of the key before the slash", where="path"),
    Parameter("endpoint", "the streamer's endpoint id: the part of the key after the slash", where="path"),
)


def _listing(path: str, name: str, summary: str, page: Any) -> Operation:
    return Operation(
        path=API + path,
        name=name,
        summary=summary,
        parameters=PAGED,
        answers={200: Answer("One page", (page,)), **BAD_REQUEST, **UNAVAILABLE},
        access=Access.READ,
    )


def _of_a_streamer(path: str, suffix: str, parameters: tuple[Parameter, ...]) -> tuple[Operation, ...]:
    """Return the operations on one streamer, for one of the two ways to identify it in a path."""
    current = {200: Answer("The streamer as it is now", (schemas.Streamer,)), **NOT_FOUND, **UNAVAILABLE}
    return (
        Operation(
            path=API + path,
            name=f"streamer{suffix}",
            summary="One streamer",
            parameters=parameters,
            answers=current,
            access=Access.READ,
        ),
        Operation(
            method="POST",
            path=f"{API}{path}/drain",
            name=f"drain{suffix}",
            summary="Match no more players to a streamer; its sessions continue",
            parameters=parameters,
            answers=current,
            access=Access.CHANGE,
        ),
        Operation(
            method="POST",
            path=f"{API}{path}/undrain",
            name=f"undrain{suffix}",
            summary="Match players to a streamer again",
            parameters=parameters,
            answers=current,
            access=Access.CHANGE,
        ),
    )


REFERENCE: Final = (
    Operation(
        path="/signallingserver",
        name="signallingServer",
        summary="Reserve a slot for a page that dials its streamer itself",
        description=(
            "The slot is reserved for `arrivalSeconds`. Labels that players may select are also query parameters. "
            "Without a free slot the status is 200 and `error` gives the reason."
        ),
        parameters=(
            Parameter("app", "the application; the default is the one of the matchmaker's settings"),
            Parameter("id", "a streamer's key or endpoint id, a session's id, or `*` for any"),
            Parameter("address", "the `host:port` of a legacy signalling server"),
        ),
        answers={
            200: Answer("The server, or the reason why there is none", (schemas.Reservation, schemas.NoReservation)),
            400: Answer("A parameter is not valid", (schemas.NoReservation,)),
            401: Answer("The player is not authenticated", (Error,)),
            403: Answer("The player or the origin is not allowed", (Error, schemas.NoReservation)),
            429: Answer("Too many requests from this address", (schemas.NoReservation,)),
            503: Answer(
                "The matchmaker is restarting, or players cannot be authenticated", (Error, schemas.NoReservation)
            ),
        },
        head=False,  # it would reserve a slot without use
    ),
    Operation(
        path="/list",
        name="list",
        summary="The streamers in the format of the reference matchmaker's list",
        parameters=(
            Parameter("limit", "length of the page", Limit, default=MAX_LIMIT),
            Parameter("after", "the last `id` of the previous page"),
        ),
        answers={
            200: Answer("The streamers, sorted by id", (list[schemas.Listed],)),
            **BAD_REQUEST,
            **UNAVAILABLE,
        },
        access=Access.READ,
        head=False,
    ),
)


def _redirecting(path: str, name: str, summary: str, answers: dict[int, Answer], *parameters: Parameter) -> Operation:
    return Operation(
        path=path,
        name=name,
        summary=summary,
        parameters=parameters,
        answers={
            302: Answer("In redirect mode: to the page of a free server"),
            400: Answer("In redirect mode: a parameter is not valid", (Error,)),
            401: Answer("In redirect mode: the player is not authenticated", (Error,)),
            403: Answer("In redirect mode: the player is not allowed", (Error,)),
            **RETRY_PAGE,
            **answers,
        },
    )


CONTRACT: Final = Contract(
    "Pixelfleet matchmaker",
    "The state of the fleet, the same on every replica, and the operator's actions. Operations that change something "
    "answer 403 without --rest-token; read operations do, too, unless --rest-api is set.",
    (
        *REFERENCE,
        _redirecting(
            "/",
            "root",
            "A description of this service; in redirect mode, a redirect to the page of a free server",
            {200: Answer("The description", (schemas.About,))},
        ),
        _redirecting(
            "/custom_html/{file}",
            "customHtml",
            "In redirect mode, a redirect to this file of a free server",
            {404: Answer("Not in redirect mode", (Error,))},
            Parameter("file", "the file's name", where="path"),
        ),
        Operation(
            path=f"{API}/openapi.json",
            name="definition",
            summary="This document",
            answers={200: Answer("An OpenAPI document", (dict[str, Any],))},
        ),
        _listing("/streamers", "streamers", "Streamers, sorted by id", schemas.StreamerPage),
        *_of_a_streamer("/streamers/{id}", "", (STREAMER_ID,)),
        *_of_a_streamer("/streamers/{server}/{endpoint}", "ByParts", PARTS),
        _listing("/sessions", "sessions", "Sessions that have a streamer, sorted by id", schemas.SessionPage),
        Operation(
            path=f"{API}/sessions/history",
            name="history",
            summary="Ended sessions, newest first",
            description=(
                "Each request examines a limited number of records: a page that filters may be short, or empty, and "
                "have a `next`."
            ),
            parameters=(
                *PAGED,
                Parameter("who", "only sessions of this subject"),
                Parameter("since", "only sessions that ended at this time or later: an ISO time or unix seconds"),
                Parameter("until", "only sessions that ended before this time"),
                Parameter("order", "`newest` or `oldest` first", Literal["newest", "oldest"], default="newest"),
            ),
            answers={200: Answer("One page", (record_schemas.HistoryPage,)), **BAD_REQUEST, **UNAVAILABLE},
            access=Access.CHANGE,  # it has names and addresses, so that --rest-api does not open it
        ),
        Operation(
            path=f"{API}/usage",
            name="usage",
            summary="The usage of the latest days: sessions, minutes, peaks, waits, first frames and ends",
            description=(
                "It is computed from the records of ended sessions. Each request counts a limited number of records "
                "that are new to this matchmaker: repeat it until `complete` is true."
            ),
            parameters=(
                Parameter(
                    "days",
                    "number of days in UTC, with the present one",
                    Annotated[int, Meta(ge=1, le=366)],
                    default=30,
                ),
                Parameter("app", "only this application"),
            ),
            answers={200: Answer("The usage", (record_schemas.UsageReport,)), **BAD_REQUEST, **UNAVAILABLE},
            access=Access.READ,
        ),
        Operation(
            path=f"{API}/sessions/{{id}}",
            name="session",
            summary="One session, in the queue or with a streamer",
            parameters=(SESSION_ID,),
            answers={
                200: Answer("The session", (schemas.Session, schemas.Waiting)),
                **NOT_FOUND,
                **UNAVAILABLE,
            },
            access=Access.READ,
        ),
        Operation(
            method="DELETE",
            path=f"{API}/sessions/{{id}}",
            name="endSession",
            summary="End a session; its player is disconnected and does not reconnect",
            parameters=(SESSION_ID,),
            answers={
                202: Answer("The session ends with the next heartbeat of its owner", (schemas.Ending,)),
                **NOT_FOUND,
                **UNAVAILABLE,
            },
            access=Access.CHANGE,
        ),
        Operation(
            method="POST",
            path=f"{API}/sessions/{{id}}/extend",
            name="extendSession",
            summary="Let a session last longer; its time without input begins anew",
            parameters=(
                SESSION_ID,
                Parameter("seconds", f"more than 0 and at most {MAX_EXTENSION_SECONDS} in one request", float),
            ),
            answers={
                202: Answer("The session is extended with the next heartbeat of its server", (schemas.Extension,)),
                400: Answer("The seconds are not in range", (Error,)),
                **NOT_FOUND,
                **UNAVAILABLE,
            },
            access=Access.CHANGE,
        ),
        Operation(
            method="POST",
            path=f"{API}/sessions/{{id}}/invites",
            name="invite",
            summary="Make an invite link to a session, for a guest or a spectator",
            description="The page of the session's host can make invites, too.",
            parameters=(
                SESSION_ID,
                Parameter("role", "a guest may send input, a spectator may not", InvitedRole, default="spectator"),
                Parameter("seconds", "how long the invite is valid", InviteSeconds, default=DEFAULT_SECONDS),
                Parameter("once", "1 if it admits only one player", Literal["0", "1"], default="0"),
                Parameter("name", "how its holder is called in the list of people", InviteName),
            ),
            answers={
                201: Answer("The invite", (schemas.Invitation,)),
                **BAD_REQUEST,
                **NOT_FOUND,
                409: Answer("Nobody can join this session, or there is no session key", (Error,)),
                **UNAVAILABLE,
            },
            access=Access.CHANGE,
        ),
        _listing("/queue", "queue", "Sessions in the queue, next first", schemas.QueuePage),
        Operation(
            path=f"{API}/audit",
            name="audit",
            summary=f"The latest {AUDIT_EVENTS} changes by operators, newest first",
            parameters=PAGED[:2],
            answers={200: Answer("One page", (schemas.AuditPage,)), **BAD_REQUEST, **UNAVAILABLE},
            access=Access.CHANGE,  # it has names and addresses, so that --rest-api does not open it
        ),
        Operation(
            path=f"{API}/apps",
            name="apps",
            summary="The totals of each application",
            answers={200: Answer("The totals", (schemas.Totals,)), **UNAVAILABLE},
            access=Access.READ,
        ),
        Operation(
            path=f"{API}/events",
            name="events",
            summary="Changes of the fleet, as server-sent events",
            description=(
                "`totals` every second, `streamers` (`{whole, changed, gone}`) after each change, `unavailable` while "
                "the fleet store is unavailable. The first `streamers` has `whole: true`: it replaces all earlier "
                "ones. With --events or --webhooks, `event` is one event of a session or streamer. "
                "A listener that is too slow is disconnected and may reconnect. `x-events` gives the type of "
                "each event's data."
            ),
            answers={
                200: Answer(
                    "An endless stream of events",
                    events={
                        "totals": schemas.Totals,
                        "streamers": schemas.StreamersEvent,
                        "event": Event,
                        "unavailable": Error,
                    },
                ),
                **UNAVAILABLE,
            },
            access=Access.READ,
            head=False,
        ),
        *HEALTH.operations,
    ),
    WEBHOOKS,
)
