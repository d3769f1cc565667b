"""The published page libraries of the lock file, and the server of the pages that are built on them."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlencode

import pytest
from aiohttp import web

HERE: Final = Path(__file__).parent
PAGES: Final = HERE / "dist"
LOCK: Final = HERE / "package-lock.json"
SCOPE: Final = "node_modules/@epicgames-ps/lib-pixelstreamingfrontend"


@dataclass(frozen=True)
class Library:
    """A page on a published library: of the library alone, or of the UI library on top of it."""

    unreal: str
    """The version of Unreal that it belongs to, such as `5.7`."""
    page: Literal["library", "ui"]
    version: str
    """The version of the package, such as `0.3.1`, and of the library that a UI library depends on."""

    @property
    def peer(self) -> str:
        return "Epic's page library" if self.page == "library" else "Epic's UI library"

    def __str__(self) -> str:
        return f"{self.unreal} ({self.version})"


def _read() -> tuple[list[Library], list[Library]]:
    """Return the player libraries and the UI libraries of the lock file."""
    packages = json.loads(LOCK.read_text(encoding="utf-8"))["packages"]
    names = [name.removeprefix("@epicgames-ps/lib-pixelstreamingfrontend-ue") for name in packages[""]["dependencies"]]
    libraries, uis = [], []
    for unreal in (name for name in names if "/" not in name):
        library = packages[f"{SCOPE}-ue{unreal}"]["version"]
        ui_path = f"{SCOPE}-ui-ue{unreal}"
        # A UI library that does not accept that version has one of its own below it.
        below = packages.get(f"{ui_path}/{SCOPE}-ue{unreal}", {}).get("version", library)
        libraries.append(Library(unreal, "library", library))
        uis.append(Library(unreal, "ui", f"{packages[ui_path]['version']} on {below}"))
    return libraries, uis


LIBRARIES, UI_LIBRARIES = _read()


@dataclass(frozen=True)
class Pages:
    """The running server of the pages."""

    port: int

    def url(self, library: Library, signalling: str) -> str:
        """Return the address of the library's page, for the signalling server at this URL."""
        return (
            f"http://127.0.0.1:{self.port}/{library.unreal}-{library.page}/index.html?{urlencode({'ss': signalling})}"
        )


@asynccontextmanager
async def serving_pages() -> AsyncIterator[Pages]:
    if not (PAGES / "5.7-library" / "index.html").is_file():
        pytest.fail("the pages are not built; `scripts/build-page test` builds them")
    app = web.Application()
    app.router.add_static("/", PAGES)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield Pages(runner.addresses[0][1])
    finally:
        await runner.cleanup()
