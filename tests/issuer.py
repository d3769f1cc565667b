"""A real OpenID Connect issuer for tests: oidc-provider of npm, in a process of its own."""

import asyncio
import re
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from tests.parts import PATIENCE_SECONDS, free_port, missing_part, program, require_part

FOLDER = Path(__file__).parent / "issuer"
CLIENT_ID = "pixelfleet"
CLIENT_SECRET = "a secret of the client: 50% & more"


@dataclass(frozen=True)
class Issuer:
    """A running issuer, and the address of the router that is its client."""

    url: str
    router_port: int

    @property
    def router(self) -> str:
        return f"http://127.0.0.1:{self.router_port}"

    def settings(self) -> dict[str, Any]:
        """The settings of a router that is this issuer's client."""
        return {
            "auth": "oidc",
            "session_key": "k" * 32,
            "jwt_issuer": self.url,
            "jwt_roles_claim": "groups",
            "jwt_role_names": {"fleet-ops": "admin", "gamers": "player"},
            "oidc_client_id": CLIENT_ID,
            "oidc_client_secret": CLIENT_SECRET,
            "public_url": self.router,
        }


@asynccontextmanager
async def running_issuer(prefix: str = "") -> AsyncIterator[Issuer]:
    """Run an issuer with a router on a free port as its client."""
    if not (FOLDER / "node_modules").is_dir():
        missing_part("the issuer is not installed; `make test` installs it, `scripts/build-page test` alone does too")
    port, router_port = free_port(), free_port()
    issuer = Issuer(f"http://127.0.0.1:{port}", router_port)
    home = f"{issuer.router}{prefix}/"
    arguments = [str(FOLDER / "issuer.js"), str(port), f"{home}sign-in/callback", home]
    async with program(
        _node(), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while b"listening" not in (line := await process.stdout.readline()):
                assert line, "the issuer has ended"
        yield issuer


def _node() -> str:
    """Return the path of Node, which scripts/npm installs beside Python on a machine that has none."""
    return shutil.which("node", path=str(Path(sys.executable).parent)) or require_part("node")


async def authorize(browser: aiohttp.ClientSession, url: str, name: str) -> URL:
    """Sign in at the issuer as a browser does, from the redirect to it; return the URL to which it redirects back."""
    first = URL(url)
    for _ in range(10):
        async with browser.get(url, allow_redirects=False) as answer:
            if answer.status == 200:  # the form, without scripts
                form = re.search(r'<form[^>]* action="([^"]+)"', await answer.text())
                assert form is not None
                fields = {"prompt": "login", "login": name, "password": "any"}
                async with browser.post(unescape(form[1]), data=fields, allow_redirects=False) as posted:
                    location = posted.headers["Location"]
            else:
                location = answer.headers["Location"]
        target = first.join(URL(location, encoded=True))
        if target.origin() != first.origin():
            return target
        url = str(target)
    raise AssertionError("the issuer does not redirect back")
