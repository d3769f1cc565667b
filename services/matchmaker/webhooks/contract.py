"""The requests of webhooks, for the OpenAPI document."""

from typing import Final

from matchmaker.webhooks.core.admission import AdmissionAnswer, AdmissionMessage
from matchmaker.webhooks.core.extension import WarningAnswer
from pixelfleet.fleet.events import Event
from pixelfleet.net.openapi import Outgoing

WEBHOOKS: Final = (
    Outgoing(
        "event",
        "An event of a session or a streamer, to each URL of --webhooks",
        "The headers are those of Standard Webhooks: webhook-id, webhook-timestamp and webhook-signature. Any status "
        "from 200 to 299 confirms the event; otherwise it is sent again. An answer to `session.warning` may extend the "
        "session.",
        Event,
        WarningAnswer,
    ),
    Outgoing(
        "admission",
        "The question whether a player is admitted, to --admission-webhook",
        "It is signed as an event is. The answer decides on the player; without a valid one within "
        "--admission-seconds, --admission-default does.",
        AdmissionMessage,
        AdmissionAnswer,
    ),
)
