"""Shared by the findings in browsers: one page on loopback, in a headless browser, and what the page reports.

The environment names the browsers: CHROMIUM and FIREFOX are the programs, DEBIAN is the folder with their libraries.

    python browser.py BROWSER... <SCRIPT

runs a script in a page of each browser and prints what it reports.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# `report(name, value)` adds to what visit() returns; `finish()` ends the visit. Uncaught errors are reported.
PROLOGUE = """<!doctype html><meta charset="utf-8"><title>finding</title><script>
const send = (what) => fetch("/report", { method: "POST", body: JSON.stringify(what), keepalive: true });
const report = (name, value) => send({ name, value });
const finish = () => send({ finished: true });
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
addEventListener("error", (event) => report("uncaught", event.message));
addEventListener("unhandledrejection", (event) => report("unhandled", String(event.reason)));
</script>"""

CHROMIUM_OPTIONS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
)
FIREFOX_PREFERENCES = {
    "app.normandy.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "media.autoplay.default": 0,
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
}


def command_of(browser: str, profile: Path, url: str) -> list[str]:
    """The command line that opens a URL in a browser ("chromium" or "firefox") with an empty profile."""
    if browser == "chromium":
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        return [os.environ["CHROMIUM"], *CHROMIUM_OPTIONS, *sandbox, f"--user-data-dir={profile}", url]
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in FIREFOX_PREFERENCES.items()]
    (profile / "user.js").write_text("\n".join(lines))
    return [os.environ["FIREFOX"], "--headless", "--no-remote", "--profile", str(profile), url]


@contextlib.asynccontextmanager
async def browsing(browser: str, url: str) -> AsyncIterator[None]:
    """Runs a browser for the time of the block."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        libraries = f"{os.environ['DEBIAN']}/usr/lib/x86_64-linux-gnu"
        process = await asyncio.create_subprocess_exec(
            *command_of(browser, Path(folder), url),
            env=os.environ | {"LD_LIBRARY_PATH": libraries, "HOME": folder},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError, TimeoutError):
                    os.killpg(process.pid, number)
                    async with asyncio.timeout(5):
                        await process.wait()


async def visit(
    browser: str, page: str, routes: dict[str, Handler] | None = None, files: Path | None = None, seconds: float = 60
) -> list[tuple[str, Any]]:
    """What a page reports, in order, until it calls finish() or the time is over.

    `routes` are further paths of the page's server, `files` a folder that it serves below /files.
    """
    reports: list[tuple[str, Any]] = []
    finished = asyncio.Event()
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)  # ends the browser too

    async def serve_page(request: web.Request) -> web.Response:
        return web.Response(text=PROLOGUE + page, content_type="text/html")

    async def take_report(request: web.Request) -> web.Response:
        body = await request.json()
        if body.get("finished"):
            finished.set()
        else:
            reports.append((body["name"], body["value"]))
        return web.Response()

    app = web.Application()
    app.router.add_get("/", serve_page)
    app.router.add_post("/report", take_report)
    for path, handler in (routes or {}).items():
        app.router.add_get(path, handler)
    if files is not None:
        app.router.add_static("/files", files)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with browsing(browser, f"http://127.0.0.1:{runner.addresses[0][1]}/"), asyncio.timeout(seconds):
            await finished.wait()
    except TimeoutError:
        reports.append(("visit", "timed out"))
    finally:
        await runner.cleanup()
    return reports


def page_of(script: str) -> str:
    """A page that runs a script as the body of an async function. Its end is the end of the visit."""
    return f"<body><script>(async () => {{\n{script}\nfinish();\n}})();</script>"


def print_reports(browser: str, reports: list[tuple[str, Any]]) -> None:
    """Prints each report as "BROWSER, NAME: VALUE"."""
    for name, value in reports:
        print(f"{browser}, {name}: {value}")


if __name__ == "__main__":
    page = page_of(sys.stdin.read())
    for browser in sys.argv[1:]:
        print_reports(browser, asyncio.run(visit(browser, page)))
