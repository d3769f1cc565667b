"""Runs the examination that the arguments describe, and prints its results."""

import argparse
import asyncio
import ssl
import sys
from typing import TextIO

from pixelfleet.net.tls import client_context
from pixelfleet.service.secret_files import read_secret
from pixelfleet_cli.doctor.command import DEFAULT_URL
from pixelfleet_cli.doctor.examination import Examination, Request
from pixelfleet_cli.doctor.findings.model import Result, exit_code
from pixelfleet_cli.doctor.findings.target import Target, target_of
from pixelfleet_cli.doctor.probes.http import client, follow
from pixelfleet_cli.doctor.report import Screen, as_json


async def perform(options: argparse.Namespace, stream: TextIO | None = None) -> int:
    """Write the report to a stream, by default stdout; return the exit code.

    Raises UsageError for an invalid URL or file.
    """
    stream = stream or sys.stdout
    given = target_of(options.url or DEFAULT_URL)
    token = await asyncio.to_thread(read_secret, "--token-file", options.token_file) if options.token_file else ""
    authority = await client_context(options.tls_ca, "--tls-ca", besides_system=True)
    tls = await asyncio.to_thread(ssl.create_default_context) if authority is None else authority
    results: list[Result] = []
    async with client(tls, options.seconds) as http:
        target = await follow(http, given)
        examination = Examination(
            Request(
                target,
                local=not options.url,
                seconds=options.seconds,
                idle=options.idle,
                join=options.join,
                turn=target_of(options.turn_url, "--turn-url") if options.turn_url else None,
                # A redirect to another host must not collect the token.
                token=token if _may_have_token(given, target) else "",
            ),
            http,
            tls,
        )
        if options.json:
            results = [result async for result in examination.run()]
            stream.write(as_json(target.shown, results))
            return exit_code(results)
        screen = Screen(stream)
        screen.begin(given.shown, "" if target == given else target.shown)
        async for result in examination.run():
            screen.show(result)
            results.append(result)
        screen.end(results)
    return exit_code(results)


def _may_have_token(given: Target, target: Target) -> bool:
    """Return whether a token for a page may be sent to the one to which it leads: same host, and not less secure."""
    return target.host == given.host and (target.is_secure or target.url.origin() == given.url.origin())
