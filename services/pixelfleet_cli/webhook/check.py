"""Sends a receiver what it must accept and what it must refuse."""

import secrets
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from matchmaker.webhooks.core.admission import TYPE, AdmissionMessage, AdmissionQuestion, answer_of
from matchmaker.webhooks.core.signature import MIN_BYTES
from matchmaker.webhooks.post import Posted, Poster, PostError, client_session
from pixelfleet.fleet.events import timestamp
from pixelfleet.net.tls import client_context

TEST_TYPE: Final = "webhook.test"

OLD_SECONDS: Final = 3600
"""The age of a request that a receiver must take for a repeated one."""


class _Event(msgspec.Struct, frozen=True):
    """An event that no session has."""

    id: str
    type: str
    timestamp: str
    data: dict[str, str] = {}


async def check(url: str, keys: Sequence[bytes], ca: Path | None, *, seconds: float, asks: bool) -> int:
    """Print how a receiver answers; return 0, or 1 when it refuses or accepts what it must not.

    With `asks`, the event is a question about a player, and the answer must be valid. Raises UsageError for an invalid
    CA.
    """
    async with client_session(await client_context(ca, "--ca"), 1) as session:
        checks = [
            await _accepted(Poster(session, url, keys, seconds), asks=asks),
            await _refused("wrong signature", Poster(session, url, [secrets.token_bytes(MIN_BYTES)], seconds)),
            await _refused("old timestamp", Poster(session, url, keys, seconds, lambda: time.time() - OLD_SECONDS)),
        ]
    return 0 if all(checks) else 1


async def _accepted(poster: Poster, *, asks: bool) -> bool:
    name = "question" if asks else "event"
    started = time.perf_counter()
    try:
        posted = await _post(poster, asks=asks)
        text = f"HTTP {posted.status} after {(time.perf_counter() - started) * 1000:.0f} ms"
        if asks:
            answer = answer_of(posted.body or b"")
            text += f", {answer.decision}"
    except (PostError, ValueError) as error:
        return _line(name, f"not accepted: {error}", passed=False)
    return _line(name, text, passed=True)


async def _refused(name: str, poster: Poster) -> bool:
    try:
        posted = await _post(poster, asks=False)
    except PostError as error:
        return _line(name, f"not accepted: {error}", passed=error.outcome == "status")
    return _line(name, f"HTTP {posted.status}: the receiver must refuse it", passed=False)


async def _post(poster: Poster, *, asks: bool) -> Posted:
    message_id, at = f"test_{secrets.token_hex(8)}", timestamp(time.time())
    if asks:
        question = AdmissionQuestion(app="default", address="192.0.2.1", session=secrets.token_hex(16))
        return await poster.post(message_id, msgspec.json.encode(AdmissionMessage(message_id, TYPE, at, question)))
    return await poster.post(message_id, msgspec.json.encode(_Event(message_id, TEST_TYPE, at)))


def _line(name: str, text: str, *, passed: bool) -> bool:
    sys.stdout.write(f"{'ok' if passed else 'FAILED':<8}{name:<18}{text}\n")
    return passed
