"""The operations of the TURN API."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from pixelfleet.net.http import HEALTH, READINESS
from pixelfleet.net.openapi import Answer, Contract, Error, Operation, Parameter
from turnapi.credentials import NAME
from turnapi.ice import RtcConfiguration

Name = Annotated[str, Meta(pattern=f"^{NAME.pattern}$")]

CONTRACT: Final = Contract(
    "Pixelfleet TURN API",
    "Credentials for TURN servers. It is for services of the cluster and requires no token.",
    (
        Operation(
            path="/",
            name="configuration",
            summary="An RTCConfiguration with fresh credentials",
            parameters=(
                Parameter("name", "the name in the credentials; the default is a random name", Name),
                Parameter("role", "determines the lifetime", Literal["player", "streamer"], default="player"),
            ),
            answers={
                200: Answer("The configuration", (RtcConfiguration,)),
                400: Answer("A parameter is not valid", (Error,)),
                503: Answer("No TURN server is available; the error gives the reason", (Error,)),
            },
        ),
        *HEALTH.operations,
        Operation(
            path="/health{rest:.*}",
            name="health",
            summary="Any other path that begins with /health: the same as /readyz",
            parameters=(Parameter("rest", "anything", where="path"),),
            answers=READINESS,
            deprecated=True,
        ),
    ),
)
