"""Asks an image's registry for the digest of a tag, over the HTTP API of OCI registries."""

import asyncio
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from pixelfleet_cli.configure.images import split

DOCKER_HUB: Final = "registry-1.docker.io"
ANSWER_SECONDS: Final = 10.0
"""Time for a registry to answer one request."""

MANIFESTS: Final = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
"""The kinds of manifests, those for several architectures first: their digest is the same on each node."""


class RegistryError(Exception):
    """A registry did not give the digest; the text has the reason."""


async def digest_of(image: str) -> str:
    """Return the digest of an image with a tag, such as `sha256:…`; raise RegistryError."""
    name, tag, _ = split(image)
    host, repository = _place(name)
    scheme = "http" if host.partition(":")[0] in ("localhost", "127.0.0.1") else "https"
    login = await asyncio.to_thread(_login, host)
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
            return await _ask(session, f"{scheme}://{host}/v2/{repository}/manifests/{tag}", login)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise RegistryError(f"{host}: {error or 'no answer in time'}") from None


async def _ask(session: aiohttp.ClientSession, url: str, login: str) -> str:
    headers = {"Accept": MANIFESTS}
    async with session.head(url, headers=headers, allow_redirects=False) as answer:
        status, found = answer.status, answer.headers
    if status == 401:
        headers["Authorization"] = await _authorization(session, url, found.get("WWW-Authenticate", ""), login)
        async with session.head(url, headers=headers, allow_redirects=False) as answer:
            status, found = answer.status, answer.headers
    digest = found.get("Docker-Content-Digest", "")
    if status != 200 or not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise RegistryError(f"{urlsplit(url).netloc}: HTTP status {status}, without a digest")
    return digest


async def _authorization(session: aiohttp.ClientSession, url: str, challenge: str, login: str) -> str:
    """Return the Authorization header for a challenge; without a login a token for everyone is requested."""
    scheme, _, parameters = challenge.partition(" ")
    if scheme.lower() != "bearer":
        if not login:
            raise RegistryError(f"{urlsplit(url).netloc}: requires a login, such as that of `docker login`")
        return f"Basic {login}"
    wanted = dict(re.findall(r'(\w+)="([^"]*)"', parameters))
    realm = wanted.pop("realm", "")
    if urlsplit(realm).scheme != "https" and urlsplit(url).scheme == "https":
        raise RegistryError(f"{urlsplit(url).netloc}: requests a login over plain HTTP")
    headers = {"Authorization": f"Basic {login}"} if login else {}
    async with session.get(realm, params=wanted, headers=headers, allow_redirects=False) as answer:
        body: Any = await answer.json(content_type=None)
    token = body.get("token") or body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(token, str):
        raise RegistryError(f"{urlsplit(realm).netloc}: HTTP status {answer.status}, without a token")
    return f"Bearer {token}"


def _place(name: str) -> tuple[str, str]:
    """Return the registry of an image's name, and its repository there."""
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return (DOCKER_HUB if first == "docker.io" else first), rest
    return DOCKER_HUB, name if slash else f"library/{name}"


def _login(host: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return the base64 login that `docker login` stored for a registry; empty without one."""
    folder = Path(environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    try:
        logins = json.loads((folder / "config.json").read_text(encoding="utf-8"))["auths"]
        named = logins.get("https://index.docker.io/v1/" if host == DOCKER_HUB else host, {})
        return str(named.get("auth", ""))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""
