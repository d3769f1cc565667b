"""The operations of the signalling server's REST interface, and the bodies of their answers."""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from pixelfleet.net.extension import MAX_EXTENSION_SECONDS
from pixelfleet.net.http import HEALTH
from pixelfleet.net.openapi import Access, Answer, Contract, Error, Operation, Parameter
from signalserver.drain import DrainState

MAX_REASON_LENGTH: Final = 120


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Uptime and counts."""

    uptime: Annotated[int, Meta(description="milliseconds")]
    streamer_count: int
    player_count: int
    version: str


class Schema(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A JSON object whose field names are in camel case."""


class ProtocolConfig(Schema, frozen=True, kw_only=True):
    """The signalling protocol."""

    protocol_version: str


class Config(Schema, frozen=True, kw_only=True):
    """The settings, without secrets."""

    config: Annotated[dict[str, Any], Meta(description="the settings by their names")]
    protocol_config: ProtocolConfig


class Streamer(Schema, frozen=True, kw_only=True):
    """One streamer or SFU."""

    streamer_id: str
    type: Literal["streamer", "sfu"]
    streaming: bool
    remote_address: str
    subscribers: Annotated[list[str], Meta(description="ids of the subscribed players")]


class Player(Schema, frozen=True, kw_only=True):
    """One player."""

    player_id: str
    type: Literal["player"]
    subscribed_to: Annotated[str | None, Meta(description="the streamer's id")]
    remote_address: str
    away: Annotated[
        Literal[True] | msgspec.UnsetType,
        Meta(description="present if its connection has ended, and its session is kept for a while"),
    ] = msgspec.UNSET
    limit: Annotated[
        Literal["time", "idle"] | msgspec.UnsetType,
        Meta(description="the limit that ends its session first; present if there is one"),
    ] = msgspec.UNSET
    ends_at: Annotated[
        float | msgspec.UnsetType,
        Meta(description="when that is, in seconds since 1970, unless there is input or an extension before"),
    ] = msgspec.UNSET
    idle_seconds: Annotated[
        float | msgspec.UnsetType,
        Meta(description="how long its page has reported no input; present with --idle-seconds"),
    ] = msgspec.UNSET


class Extended(Schema, frozen=True, kw_only=True):
    """A player whose session may last longer."""

    player_id: str
    seconds: float


class Kicked(Schema, frozen=True, kw_only=True):
    """A player that was disconnected."""

    player_id: str
    reason: str


class DrainStatus(Schema, frozen=True, kw_only=True):
    """The progress of the drain."""

    state: DrainState
    players: Annotated[int, Meta(description="players that are connected or away")]


def _player_id(*others: Parameter) -> tuple[Parameter, ...]:
    return (Parameter("id", "the player's id", where="path"), *others)


NOT_FOUND: Final = {404: Answer("No streamer or player has this id", (Error,), name="NotFound")}

CONTRACT: Final = Contract(
    "Pixelfleet signalling server",
    "The connections of one signalling server, and the operator's actions. Operations that change something return "
    "403 until --rest-token is set; operations that read do so too, unless --rest-api opens them.",
    (
        Operation(
            path="/api/api-definition",
            name="apiDefinition",
            summary="This document",
            answers={200: Answer("An OpenAPI document", (dict[str, Any],))},
        ),
        Operation(
            path="/api/status",
            name="status",
            summary="Uptime and counts",
            answers={200: Answer("The counts", (Status,))},
        ),
        Operation(
            path="/api/config",
            name="config",
            summary="The settings, without secrets",
            answers={200: Answer("The settings", (Config,))},
            access=Access.READ,
        ),
        Operation(
            path="/api/streamers",
            name="streamers",
            summary="Every streamer and SFU",
            answers={200: Answer("The streamers", (list[Streamer],))},
            access=Access.READ,
        ),
        Operation(
            path="/api/streamers/{id}",
            name="streamer",
            summary="One streamer",
            parameters=(Parameter("id", "the streamer's id", where="path"),),
            answers={200: Answer("The streamer", (Streamer,)), **NOT_FOUND},
            access=Access.READ,
        ),
        Operation(
            path="/api/players",
            name="players",
            summary="Every player",
            answers={200: Answer("The players", (list[Player],))},
            access=Access.READ,
        ),
        Operation(
            path="/api/players/{id}",
            name="player",
            summary="One player",
            parameters=_player_id(),
            answers={200: Answer("The player", (Player,)), **NOT_FOUND},
            access=Access.READ,
        ),
        Operation(
            method="DELETE",
            path="/api/players/{id}",
            name="kick",
            summary="Disconnect a player so that it does not reconnect",
            parameters=_player_id(
                Parameter("reason", f"sent to the player; cut off after {MAX_REASON_LENGTH} characters"),
            ),
            answers={200: Answer("The player and the reason", (Kicked,)), **NOT_FOUND},
            access=Access.CHANGE,
        ),
        Operation(
            method="POST",
            path="/api/players/{id}/extend",
            name="extend",
            summary="Let the session of a player last longer; its time without input begins anew",
            parameters=_player_id(
                Parameter(
                    "seconds", f"added to --session-seconds; at most {MAX_EXTENSION_SECONDS} in one request", float
                )
            ),
            answers={
                200: Answer("The player and the seconds", (Extended,)),
                400: Answer("The seconds are not in range", (Error,)),
                **NOT_FOUND,
            },
            access=Access.CHANGE,
        ),
        Operation(
            method="POST",
            path="/api/drain",
            name="drain",
            summary="Drain: accept no more players; the process keeps running",
            answers={202: Answer("The progress", (DrainStatus,))},
            access=Access.CHANGE,
        ),
        Operation(
            path="/drain",
            name="waitDrained",
            summary="Drain; with wait=1 respond when the last player has left or the grace period is over",
            parameters=(Parameter("wait", "1 to wait", Literal["0", "1"]),),
            answers={200: Answer("The progress", (DrainStatus,))},
            access=Access.CHANGE,
        ),
        *HEALTH.operations,
    ),
)
