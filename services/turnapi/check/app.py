"""The command `pixelfleet turn-check`: fetches the list of servers, probes them and prints a table."""

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import aiohttp

from pixelfleet.net.http_client import body_within
from pixelfleet.net.tls import client_context
from pixelfleet.service.errors import UsageError
from pixelfleet.service.shown import shown_url
from turnapi.check.plan import ConfigurationError, Result, probes_of, works
from turnapi.check.probing import probe_all
from turnapi.check.settings import Settings

MAX_ANSWER_BYTES: Final = 1024 * 1024


async def main(settings: Settings) -> int:
    """Return 0 when a relay works, otherwise 1; raise UsageError when there are no servers to check."""
    source = f"--file {settings.file}" if settings.file else f"--url {shown_url(settings.url)}"
    body = await asyncio.to_thread(_read, settings.file) if settings.file else await _fetch(settings)
    try:
        probes = probes_of(body)
    except ConfigurationError as error:
        raise UsageError(f"{source}: not a usable RTCConfiguration: {error}") from None
    tls = await client_context(settings.tls_ca, "--tls-ca", besides_system=True)
    results = await probe_all(probes, settings.seconds, tls or ssl.create_default_context())
    print(table(results))  # noqa: T201 - the output of the command
    return 0 if works(results) else 1


def table(results: Sequence[Result]) -> str:
    """Return a table with a line for each probe."""
    width = max(len("server"), *(len(result.probe.server) for result in results))
    lines = [f"{'server':<{width}}  transport  {'ms':>5}  result"]
    for result in results:
        probe = result.probe
        outcome = result.failure or ("answers" if probe.transport == "STUN" else "relays")
        lines.append(f"{probe.server:<{width}}  {probe.transport:<9}  {1000 * result.seconds:>5.0f}  {outcome}")
    return "\n".join(lines)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_ANSWER_BYTES)
    except OSError as error:
        raise UsageError(f"--file {path}: {error.strerror or error}") from None


async def _fetch(settings: Settings) -> bytes:
    """Return the body of the TURN API's answer; raise UsageError."""
    timeout = aiohttp.ClientTimeout(total=settings.seconds)
    where = f"--url {shown_url(settings.url)}"
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.get(settings.url, params={"name": "turn-check"}, allow_redirects=False) as answer,
        ):
            body = await body_within(answer, MAX_ANSWER_BYTES)
            if answer.status != 200 or body is None:
                text = (body or b"")[:200].decode("utf-8", "replace")
                raise UsageError(f"{where}: the TURN API answers HTTP {answer.status} {text}".rstrip())
            return body
    except (aiohttp.ClientError, OSError) as error:
        raise UsageError(f"{where}: the TURN API is unreachable ({type(error).__name__})") from None
