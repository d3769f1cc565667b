"""Serves the built player page, its settings (`page.json`) and the operator's branding."""

import asyncio
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

import orjson
from aiohttp import web

from pixelfleet.auth.person import PLAYER_COOKIE, cookie_player_id, new_player_id
from pixelfleet.service.errors import UsageError

NO_CACHE: Final = {"Cache-Control": "no-cache"}
"""The browser revalidates each time; an unchanged file is answered with 304."""

IMMUTABLE: Final = "public, max-age=31536000, immutable"
"""For files that have a hash of their content in their name."""

Enter = Callable[[web.Request], Awaitable[object]]


def page_policy(
    frame_ancestors: Sequence[str], inline_scripts: Sequence[str] = (), inline_styles: Sequence[str] = ()
) -> str:
    """Return the content security policy of the page, which allows inline scripts and styles with these hashes."""
    scripts = " ".join(["'self'", *(f"'{each}'" for each in inline_scripts)])
    styles = " ".join(["'self'", *(f"'{each}'" for each in inline_styles)])
    policy = (
        f"default-src 'none'; script-src {scripts}; style-src {styles}; img-src 'self' data: blob:; "
        "media-src 'self' blob:; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'"
    )
    if "*" in frame_ancestors:
        return policy
    return " ".join([f"{policy}; frame-ancestors 'self'", *frame_ancestors])


def inline_hashes(document: bytes, tag: str) -> tuple[str, ...]:
    """Return the hash of each inline `script` or `style` of an HTML document, in the form of a security policy."""
    found = re.findall(f"<{tag}>(.*?)</{tag}>".encode(), document, re.DOTALL)
    return tuple(f"sha256-{b64encode(sha256(each).digest()).decode()}" for each in found)


def page_document(
    *, parents: Sequence[str], functions: Sequence[str], signalling_hosts: Sequence[str], sign_in: bool = False
) -> bytes | None:
    """Return `page.json` with these settings; None when all are empty, and the page's own file applies."""
    if not (parents or functions or signalling_hosts or sign_in):
        return None
    document: dict[str, object] = {"parents": parents, "functions": functions, "signallingHosts": signalling_hosts}
    return orjson.dumps({**document, "signIn": True} if sign_in else document)


async def add_page(
    app: web.Application,
    folder: Path,
    *,
    prefix: str = "",
    enter: Enter | None = None,
    frame_ancestors: Sequence[str] = ("*",),
    document: bytes | None = None,
    branding: Path | None = None,
) -> None:
    """Serve the page below a prefix; `enter` authorizes a request or raises. Raises UsageError without a built page."""
    index = folder / "index.html"
    if not await asyncio.to_thread(index.is_file):
        raise UsageError(f"--page {folder}: holds no built player page; run `make page` first")
    if branding is not None and not await asyncio.to_thread((branding / "branding.json").is_file):
        raise UsageError(f"--branding {branding}: holds no branding.json")
    content = await asyncio.to_thread(index.read_bytes)
    policy = page_policy(frame_ancestors, inline_hashes(content, "script"), inline_hashes(content, "style"))
    headers = {**NO_CACHE, "Content-Security-Policy": policy}

    async def page(request: web.Request) -> web.StreamResponse:
        if enter is not None:
            await enter(request)
        response = web.FileResponse(index, headers=headers)
        if not cookie_player_id(request.headers, request.cookies):
            response.set_cookie(
                PLAYER_COOKIE,
                new_player_id(),
                path=f"{prefix}/",
                secure=request.scheme == "https",
                httponly=True,
                samesite="Lax",
            )
        return response

    async def page_settings(_: web.Request) -> web.StreamResponse:
        if document is None:
            return web.FileResponse(folder / "page.json", headers=NO_CACHE)
        return web.Response(body=document, content_type="application/json", headers=NO_CACHE)

    async def branding_document(_: web.Request) -> web.FileResponse:
        return web.FileResponse((branding or folder) / "branding.json", headers=NO_CACHE)

    async def licenses(_: web.Request) -> web.FileResponse:
        return web.FileResponse(folder / "licenses.txt")

    async def cache_headers(request: web.Request, response: web.StreamResponse) -> None:
        if request.path.startswith(f"{prefix}/assets/") and response.status in (200, 206, 304):
            response.headers["Cache-Control"] = IMMUTABLE
        response.headers.setdefault("X-Content-Type-Options", "nosniff")

    app.router.add_get(f"{prefix}/", page)
    app.router.add_get(f"{prefix}/page.json", page_settings)
    app.router.add_get(f"{prefix}/branding.json", branding_document)
    app.router.add_get(f"{prefix}/licenses.txt", licenses)
    # The constructor of a static resource reads the disk.
    for path, files in (("assets", folder / "assets"), ("branding", branding or folder / "branding")):
        if await asyncio.to_thread(files.is_dir):
            app.router.register_resource(await asyncio.to_thread(web.StaticResource, f"{prefix}/{path}", files))
    app.on_response_prepare.append(cache_headers)
