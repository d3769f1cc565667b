"""The examination of one page: makes the checks of the plan with the probes, and judges what they observe."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import msgspec
from yarl import URL

from pixelfleet_cli.doctor.findings import fleet, network, offer, page, turn, websocket
from pixelfleet_cli.doctor.findings.answers import Answer
from pixelfleet_cli.doctor.findings.model import Result, not_done
from pixelfleet_cli.doctor.findings.plan import NEEDS, blocked
from pixelfleet_cli.doctor.findings.target import Target
from pixelfleet_cli.doctor.probes import http as probe
from pixelfleet_cli.doctor.probes import network as sockets
from pixelfleet_cli.doctor.probes import websocket as websockets
from turnapi.check.plan import ConfigurationError, probes_of
from turnapi.check.probing import probe_all

PORTS: Final = {"router": 8080, "matchmaker": 3000, "signalserver": 4000, "turn-api": 3480}
"""The default ports of the services."""

HEALTH_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Request:
    """What the doctor shall do."""

    target: Target
    """The page after its redirects."""
    local: bool = False
    """Whether the services of this machine are examined, too."""
    seconds: float = 10.0
    """The time limit of each request."""
    idle: float = 0.0
    """The time for which a websocket is kept silent; 0 is not at all."""
    join: bool = False
    """Whether to join as a player although no list shows a free streamer."""
    turn: Target | None = None
    """The TURN API; None is the list that a player gets."""
    token: str = ""


@dataclass(slots=True)
class Examination:
    """The state of an examination."""

    request: Request
    http: aiohttp.ClientSession
    tls: ssl.SSLContext
    results: dict[str, Result] = field(default_factory=dict)
    _addresses: tuple[str, ...] = ()
    _page: Answer | None = None
    _has_free: bool = False
    _ice: dict[str, Any] | None = None
    """The RTCConfiguration that a player got."""

    async def run(self) -> AsyncIterator[Result]:
        """Make all checks in order; yield each result."""
        checks = {
            fleet.MACHINE: self._machine,
            network.ADDRESS: self._address,
            network.CONNECTION: self._connection,
            network.CERTIFICATE: self._certificate,
            page.PAGE: self._load_page,
            page.CLOCK: self._clock,
            websocket.WEBSOCKET: self._websocket,
            fleet.STREAMERS: self._streamers,
            offer.OFFER: self._offer,
            turn.TURN: self._turn,
            websocket.IDLE: self._idle,
        }
        for check in NEEDS:
            if check == fleet.MACHINE and not self.request.local:
                continue
            result = blocked(check, self.results) or await checks[check]()
            self.results[check] = result
            yield result

    async def _machine(self) -> Result:
        async def ask(name: str, port: int) -> fleet.Service:
            try:
                answer = await probe.get(self.http, URL(f"http://127.0.0.1:{port}/readyz"), limit=HEALTH_BYTES)
            except probe.NoAnswerError:
                return fleet.service_of(name, None)
            return fleet.service_of(name, answer)

        return fleet.judge_machine(await asyncio.gather(*(ask(name, port) for name, port in PORTS.items())))

    async def _address(self) -> Result:
        target = self.request.target
        lookup = await sockets.look_up(target.host, target.port, self.request.seconds)
        self._addresses = lookup.addresses
        return network.judge_address(lookup)

    async def _connection(self) -> Result:
        port = self.request.target.port
        attempts = await sockets.try_addresses(self._addresses, port, self.request.seconds)
        return network.judge_connection(attempts, port)

    async def _certificate(self) -> Result:
        target = self.request.target
        if not target.is_secure:
            return network.judge_plain(target.host, is_loopback=target.is_loopback)
        certificate = await sockets.certificate_of(target.host, target.port, self.tls, self.request.seconds)
        return network.judge_certificate(certificate, target.host, time.time())

    async def _load_page(self) -> Result:
        target = self.request.target
        try:
            answer = self._page = await probe.get(self.http, target.url)
        except probe.NoAnswerError as error:
            return page.judge_page(None, str(error), [], works_with_slash=False)
        assets = await probe.fetch_assets(self.http, target, answer.body) if answer.status == 200 else []
        return page.judge_page(answer, "", assets, works_with_slash=await self._works_with_slash(answer, assets))

    async def _works_with_slash(self, answer: Answer, assets: list[page.Asset]) -> bool:
        """Return whether missing files of the page exist when a slash is appended to its path."""
        slashed = self.request.target.with_slash()
        if slashed is None or all(asset.status == 200 for asset in assets):
            return False
        found = await probe.fetch_assets(self.http, slashed, answer.body)
        return bool(found) and all(asset.status == 200 for asset in found)

    async def _clock(self) -> Result:
        answer = self._page
        if answer is None:
            return not_done(page.CLOCK, "not checked: the page did not answer")
        return page.judge_clock(answer.date, answer.sent, answer.received)

    async def _websocket(self) -> Result:
        target = self.request.target
        url = target.websocket_that_waits()
        return websocket.judge_upgrade(await websockets.upgrade(self.http, url, target.origin, self.request.seconds))

    async def _streamers(self) -> Result:
        target = self.request.target
        headers = {"Authorization": f"Bearer {self.request.token}"} if self.request.token else {}
        try:
            answer = await probe.get(self.http, target.beside("api/v1/apps"), headers=headers)
        except probe.NoAnswerError:
            answer = None
        result = fleet.judge_list(answer, target.app, with_token=bool(headers))
        apps = fleet.apps_of(answer, target.app)
        self._has_free = any(app.available for app in apps or ())
        return result

    async def _offer(self) -> Result:
        if not self.request.join and not self._has_free:
            return not_done(offer.OFFER, "not requested; --join takes a streamer for a moment")
        target = self.request.target
        try:
            learned, code, reason = await websockets.join(
                self.http, target.websocket(), target.origin, self.request.seconds
            )
        except probe.NoAnswerError as error:
            return not_done(offer.OFFER, f"not checked: {error}")
        self._ice = learned.configuration
        return offer.judge_conversation(learned, self.request.seconds, code, reason)

    async def _turn(self) -> Result:
        if self.request.turn is not None:
            try:
                answer = await probe.get(self.http, self.request.turn.url)
            except probe.NoAnswerError as error:
                return turn.judge_no_answer(None, str(error))
            if answer.status != 200:
                return turn.judge_no_answer(answer, "")
            body = answer.body
        elif self._ice is None:
            return not_done(turn.TURN, "not checked; --join or --turn-url shows the servers")
        elif not self._ice.get("iceServers"):
            return turn.judge_none(is_loopback=self.request.target.is_loopback)
        else:
            body = msgspec.json.encode(self._ice)
        try:
            probes = turn.chosen(probes_of(body))
        except ConfigurationError as error:
            return turn.judge_unusable(str(error))
        return turn.judge_probes(await probe_all(probes, self.request.seconds, self.tls))

    async def _idle(self) -> Result:
        wanted = self.request.idle
        if not wanted:
            return not_done(websocket.IDLE, "not measured; --idle 90 keeps a websocket silent")
        target = self.request.target
        url = target.websocket_that_waits()
        try:
            silence = await websockets.stay_silent(self.http, url, target.origin, wanted, self.request.seconds)
        except probe.NoAnswerError as error:
            return not_done(websocket.IDLE, f"not measured: {error}")
        return websocket.judge_silence(silence)
