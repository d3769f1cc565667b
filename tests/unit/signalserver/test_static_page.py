"""A missing page directory. Integration tests cover serving."""

from pathlib import Path

import pytest
from aiohttp import web

from pixelfleet.service.errors import UsageError
from signalserver.static_page import add_page


@pytest.mark.parametrize("there", [None, "other.html"])
async def test_a_directory_without_the_homepage_is_an_error_that_names_it(tmp_path: Path, there: str | None) -> None:
    if there:
        (tmp_path / there).write_text("")
    with pytest.raises(UsageError, match=rf"--http-root {tmp_path}: has no player\.html"):
        await add_page(web.Application(), tmp_path, "player.html")
