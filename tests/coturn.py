"""A real coturn on loopback, with the shipped configuration."""

import asyncio
import secrets
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.parts import eventually, free_ports, require_part
from tests.unit.pixelfleet.net.certificates import Certificate
from turnapi.check.plan import Probe
from turnapi.check.probing import probe_all

CONFIGURATION: Final = Path(__file__).parents[1] / "turn" / "turnserver.conf"


@dataclass
class Coturn:
    """A TURN server that can be killed and restarted on the same port."""

    folder: Path
    loopback_peers: bool = True
    """Whether it relays to loopback, which the shipped configuration denies: all peers of a test are there."""
    certificate: Certificate | None = None
    """For TLS; without a certificate there is no TLS."""
    secret: str = field(default_factory=lambda: secrets.token_hex(16))
    port: int = 0
    tls_port: int = 0
    _process: Process | None = None

    def __post_init__(self) -> None:
        self.port, self.tls_port = free_ports(2)

    @property
    def server(self) -> str:
        """The server as an option of the TURN API."""
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it; return when it answers."""
        options = {
            "static-auth-secret": self.secret,
            "listening-ip": "127.0.0.1",
            "relay-ip": "127.0.0.1",
            "listening-port": str(self.port),
            "tls-listening-port": str(self.tls_port),
            "userdb": str(self.folder / "turndb"),
            "pidfile": str(self.folder / "turnserver.pid"),
        }
        if self.certificate is not None:
            options["cert"], options["pkey"] = str(self.certificate.certificate), str(self.certificate.key)
        arguments = [f"--{name}={value}" for name, value in options.items()]
        if self.loopback_peers:
            arguments += ["--allow-loopback-peers", "--allowed-peer-ip=127.0.0.1"]
        self._process = await asyncio.create_subprocess_exec(
            require_part("turnserver"),
            "-c",
            str(CONFIGURATION),
            *arguments,
            cwd=self.folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await eventually(self.answers, "coturn answers")

    async def answers(self) -> bool:
        """Return whether it answers."""
        probe = Probe("STUN", "127.0.0.1", self.port)
        [result] = await probe_all([probe], 0.5, tls=None)
        return not result.failure

    async def kill(self) -> None:
        """Kill it with SIGKILL."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def running_coturn(folder: Path, *, certificate: Certificate | None = None) -> AsyncIterator[Coturn]:
    """Run a coturn while the body runs."""
    coturn = Coturn(folder, certificate=certificate)
    try:
        await coturn.start()
        yield coturn
    finally:
        await coturn.kill()
