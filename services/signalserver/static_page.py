"""Serves a folder of static files, for those who want their page from the signalling server itself."""

import asyncio
from pathlib import Path

from aiohttp import web

from pixelfleet.service.errors import UsageError


async def add_page(app: web.Application, folder: Path, homepage: str) -> None:
    """Serve the folder's files, and the homepage at `/`; raise UsageError when it is not there."""
    index = folder / homepage
    if not await asyncio.to_thread(index.is_file):
        raise UsageError(f"--http-root {folder}: has no {homepage}; name the page's folder and file")

    async def home(_: web.Request) -> web.FileResponse:
        return web.FileResponse(index)

    app.router.add_get("/", home)
    # The constructor of a static resource looks at the disk.
    app.router.register_resource(await asyncio.to_thread(web.StaticResource, "", folder))
