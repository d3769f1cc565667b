"""Serves the built player page."""

import asyncio
from pathlib import Path
from typing import Final

from aiohttp import web

from pixelfleet.runtime.errors import UsageError

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
        "connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
FOREVER: Final = "public, max-age=31536000, immutable"
"""For files that carry a hash of their content in their name."""

DOCUMENTS: Final = ("page.json", "branding.json")
"""What the page reads at its start: what it may do with other hosts, and how it looks and speaks."""


async def add_page(app: web.Application, folder: Path) -> None:
    """Serve the page at `/`; raise UsageError when it has not been built."""
    index = folder / "index.html"
    if not await asyncio.to_thread(index.is_file):
        raise UsageError(f"--page {folder}: holds no built player page; run `make page` first")

    async def page(_: web.Request) -> web.FileResponse:
        return web.FileResponse(index, headers={**SECURITY_HEADERS, "Cache-Control": "no-cache"})

    async def cache_headers(request: web.Request, response: web.StreamResponse) -> None:
        if request.path.startswith("/assets/"):
            response.headers["Cache-Control"] = FOREVER
            response.headers["X-Content-Type-Options"] = "nosniff"

    async def licenses(_: web.Request) -> web.FileResponse:
        return web.FileResponse(folder / "licenses.txt")

    async def document(request: web.Request) -> web.FileResponse:
        headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        return web.FileResponse(folder / request.path.lstrip("/"), headers=headers)

    app.router.add_get("/", page)
    app.router.add_get("/licenses.txt", licenses)
    for name in DOCUMENTS:
        app.router.add_get(f"/{name}", document)
    # The constructor of a static resource looks at the disk.
    app.router.register_resource(await asyncio.to_thread(web.StaticResource, "/assets", folder / "assets"))
    branding = folder / "branding"
    if await asyncio.to_thread(branding.is_dir):
        app.router.register_resource(await asyncio.to_thread(web.StaticResource, "/branding", branding))
    app.on_response_prepare.append(cache_headers)
