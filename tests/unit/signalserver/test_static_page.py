"""A page's folder that is not there. That one is served is tested with real sockets."""

from pathlib import Path

import pytest
from aiohttp import web

from pixelfleet.service.errors import UsageError
from signalserver.static_page import add_page


@pytest.mark.parametrize("there", [None, "other.html"])
async def test_a_folder_without_the_homepage_is_named(tmp_path: Path, there: str | None) -> None:
    if there:
        (tmp_path / there).write_text("")
    with pytest.raises(UsageError, match=rf"--http-root {tmp_path}: has no player\.html"):
        await add_page(web.Application(), tmp_path, "player.html")
