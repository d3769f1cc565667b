"""Digests of a registry, which is a server in the test."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from pixelfleet_cli.configure.images import image_entry, split
from pixelfleet_cli.configure.registry import RegistryError, _place, digest_of

DIGEST = f"sha256:{'ab' * 32}"
LOGIN = "dXNlcjpwYXNzd29yZA=="


class Registry:
    """A registry with one image, that asks for a token or a password."""

    challenge = ""
    digest = DIGEST
    status = 200

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    async def manifest(self, request: web.Request) -> web.Response:
        authorization = request.headers.get("Authorization", "")
        self.seen.append((request.path, authorization))
        if self.challenge and not authorization:
            return web.Response(status=401, headers={"WWW-Authenticate": self.challenge})
        return web.Response(status=self.status, headers={"Docker-Content-Digest": self.digest} if self.digest else {})

    async def token(self, request: web.Request) -> web.Response:
        self.seen.append((request.path_qs, request.headers.get("Authorization", "")))
        return web.json_response({"token": "a-token"})


@pytest.fixture
async def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Registry, str]]:
    found = Registry()
    application = web.Application()
    application.router.add_head("/v2/team/game/manifests/{tag}", found.manifest)
    application.router.add_get("/token", found.token)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    async with TestServer(application) as server:
        yield found, f"127.0.0.1:{server.port}"


def login(folder: Path, host: str) -> None:
    (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": LOGIN}}}))


async def test_the_digest_of_a_tag(registry: tuple[Registry, str]) -> None:
    found, host = registry
    assert await digest_of(f"{host}/team/game:1.0") == DIGEST
    assert found.seen == [("/v2/team/game/manifests/1.0", "")]


@pytest.mark.parametrize("stored", [False, True])
async def test_a_token_is_requested_with_the_stored_login(
    registry: tuple[Registry, str], tmp_path: Path, stored: bool
) -> None:
    found, host = registry
    found.challenge = f'Bearer realm="http://{host}/token",service="r",scope="repository:team/game:pull"'
    if stored:
        login(tmp_path, host)
    assert await digest_of(f"{host}/team/game:1.0") == DIGEST
    _, asked, last = found.seen
    assert asked == ("/token?service=r&scope=repository:team/game:pull", f"Basic {LOGIN}" if stored else "")
    assert last[1] == "Bearer a-token"


async def test_a_password_is_sent_when_requested(registry: tuple[Registry, str], tmp_path: Path) -> None:
    found, host = registry
    found.challenge = 'Basic realm="registry"'
    login(tmp_path, host)
    assert await digest_of(f"{host}/team/game:1.0") == DIGEST
    assert found.seen[-1][1] == f"Basic {LOGIN}"


async def test_a_missing_login_is_reported(registry: tuple[Registry, str]) -> None:
    found, host = registry
    found.challenge = 'Basic realm="registry"'
    with pytest.raises(RegistryError, match="requires a login"):
        await digest_of(f"{host}/team/game:1.0")


@pytest.mark.parametrize(("status", "digest"), [(404, DIGEST), (200, ""), (200, "sha256:short"), (302, DIGEST)])
async def test_an_answer_without_a_digest_is_an_error(registry: tuple[Registry, str], status: int, digest: str) -> None:
    found, host = registry
    found.status, found.digest = status, digest
    with pytest.raises(RegistryError, match=f"{host}: HTTP status {status}"):
        await digest_of(f"{host}/team/game:1.0")


async def test_an_absent_registry_is_an_error(registry: tuple[Registry, str]) -> None:
    with pytest.raises(RegistryError, match=r"127\.0\.0\.1:1: "):
        await digest_of("127.0.0.1:1/team/game:1.0")


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("registry.example.com/team/game", ("registry.example.com", "team/game")),
        ("registry:5000/game", ("registry:5000", "game")),
        ("docker.io/team/game", ("registry-1.docker.io", "team/game")),
        ("team/game", ("registry-1.docker.io", "team/game")),
        ("redis", ("registry-1.docker.io", "library/redis")),
    ],
)
def test_the_registry_of_a_name(name: str, place: tuple[str, str]) -> None:
    assert _place(name) == place


@pytest.mark.parametrize(
    ("image", "parts", "entry"),
    [
        ("r:5000/game:1.0", ("r:5000/game", "1.0", ""), {"newTag": "1.0"}),
        (f"r:5000/game@{DIGEST}", ("r:5000/game", "", DIGEST), {"digest": DIGEST}),
        (f"r:5000/game:1.0@{DIGEST}", ("r:5000/game", "1.0", DIGEST), {"digest": DIGEST}),
    ],
)
def test_the_parts_of_an_image(image: str, parts: tuple[str, str, str], entry: dict[str, str]) -> None:
    assert split(image) == parts
    assert image_entry("unreal", image) == {"name": "unreal", "newName": "r:5000/game", **entry}
