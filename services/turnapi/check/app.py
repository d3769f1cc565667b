"""The command `pixelfleet turn-check`: asks for the servers, tries them, prints a table."""

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import aiohttp

from pixelfleet.net.http_client import body_within
from pixelfleet.service.errors import UsageError
from turnapi.check.plan import ConfigurationError, Result, probes_of, works
from turnapi.check.probing import probe_all
from turnapi.check.settings import Settings

MAX_ANSWER_BYTES: Final = 1024 * 1024


async def main(settings: Settings) -> int:
    """Return 0 when players get anywhere, 1 when no server works; raise UsageError when there is nothing to try."""
    source = f"--file {settings.file}" if settings.file else f"--url {settings.url}"
    body = await asyncio.to_thread(_read, settings.file) if settings.file else await _asked(settings)
    try:
        probes = probes_of(body)
    except ConfigurationError as error:
        raise UsageError(f"{source}: no usable RTCConfiguration: {error}") from None
    tls = await asyncio.to_thread(_tls, settings.tls_ca)
    results = await probe_all(probes, settings.seconds, tls)
    print(table(results))  # noqa: T201 - what the command is for
    return 0 if works(results) else 1


def table(results: Sequence[Result]) -> str:
    """Return a line a probe, below a heading."""
    width = max(len("server"), *(len(result.probe.server) for result in results))
    lines = [f"{'server':<{width}}  way   {'ms':>5}  result"]
    for result in results:
        told = result.failure or ("answers" if result.probe.way == "STUN" else "relays")
        lines.append(f"{result.probe.server:<{width}}  {result.probe.way:<4}  {1000 * result.seconds:>5.0f}  {told}")
    return "\n".join(lines)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_ANSWER_BYTES)
    except OSError as error:
        raise UsageError(f"--file {path}: {error.strerror or error}") from None


def _tls(authority: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if authority is not None:
        try:
            context.load_verify_locations(authority)
        except OSError as error:  # ssl.SSLError is one
            raise UsageError(f"--tls-ca {authority}: {error.strerror or 'cannot be used'}; it must be PEM") from None
    return context


async def _asked(settings: Settings) -> bytes:
    """Return the TURN API's answer."""
    timeout = aiohttp.ClientTimeout(total=settings.seconds)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.get(settings.url, params={"name": "turn-check"}, allow_redirects=False) as answer,
        ):
            body = await body_within(answer, MAX_ANSWER_BYTES)
            if answer.status != 200 or body is None:
                text = (body or b"")[:200].decode("utf-8", "replace")
                raise UsageError(f"--url {settings.url}: the TURN API answers HTTP {answer.status} {text}".rstrip())
            return body
    except (aiohttp.ClientError, OSError) as error:
        raise UsageError(f"--url {settings.url}: the TURN API is not reached ({type(error).__name__})") from None
