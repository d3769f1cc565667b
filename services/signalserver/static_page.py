"""Serves a directory of static files: a page without a router."""

import asyncio
from pathlib import Path

from aiohttp import web

from pixelfleet.service.errors import UsageError


async def add_page(app: web.Application, folder: Path, homepage: str) -> None:
    """Serve the directory's files, and its file `homepage` at `/`; raise UsageError when that file does not exist."""
    index = folder / homepage
    if not await asyncio.to_thread(index.is_file):
        raise UsageError(f"--http-root {folder}: has no {homepage}; set --http-root and --homepage to an existing file")

    async def home(_: web.Request) -> web.FileResponse:
        return web.FileResponse(index)

    app.router.add_get("/", home)
    # The constructor of a static resource reads the disk.
    app.router.register_resource(await asyncio.to_thread(web.StaticResource, "", folder))
