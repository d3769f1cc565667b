"""Screenshots of the page, and automatic checks: accessibility, content security policy, requests to other hosts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, Page

ROOT: Final = Path(__file__).parent.parent.parent
SCREENSHOTS: Final = ROOT / ".build" / "screenshots"
AXE: Final = ROOT / "player" / "node_modules" / "axe-core" / "axe.min.js"

SIZES: Final = {"phone": (390, 844), "desktop": (1440, 900)}
SCHEMES: Final = ("light", "dark")
SERIOUS: Final = ("serious", "critical")

WATCH_POLICY: Final = """
window.broken = [];
document.addEventListener('securitypolicyviolation', (event) => {
  window.broken.push(`${event.violatedDirective}: ${event.blockedURI}`);
});
"""

_INSPECT: Final = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ['violations'] });
  return violations.map(({ id, impact, help, nodes }) => ({
    id, impact, help, where: nodes.map(({ target, failureSummary }) => `${target}: ${failureSummary}`),
  }));
}"""


@dataclass(slots=True)
class Sitter:
    """A page of which screenshots are taken."""

    page: Page
    elsewhere: list[str] = field(default_factory=list)
    """Addresses of requests to other hosts."""
    complaints: list[str] = field(default_factory=list)
    """Serious accessibility violations and violations of the content security policy."""

    async def in_state(self, phase: str, **fields: Any) -> None:
        """Wait until the page is in a state and its text is visible."""
        await self.page.wait_for_function(
            """({ phase, fields }) => {
              const state = window.pixelfleet?.state;
              return state?.phase === phase && Object.keys(fields).every((name) => state[name] === fields[name]);
            }""",
            arg={"phase": phase, "fields": fields},
        )

    async def portray(self, name: str) -> None:
        """Take four screenshots and collect the violations in each."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        for size, (width, height) in SIZES.items():
            await self.page.set_viewport_size({"width": width, "height": height})
            for scheme in SCHEMES:
                await self.page.emulate_media(color_scheme=scheme)
                await self.page.wait_for_function(
                    "() => document.documentElement.dataset.branded === 'true' && document.fonts.status === 'loaded'"
                )
                await self.page.screenshot(path=SCREENSHOTS / f"{name}-{size}-{scheme}.png")
                await self._inspect(f"{name}-{size}-{scheme}")

    async def _inspect(self, where: str) -> None:
        self.complaints += [f"{where}: {each}" for each in await complaints(self.page)]


async def complaints(page: Page) -> list[str]:
    """Return the serious violations that axe finds and policy violations; AXE and WATCH_POLICY run in it."""
    found = [each for each in await page.evaluate(_INSPECT) if each["impact"] in SERIOUS]
    broken: list[str] = await page.evaluate("() => window.broken")
    return [f"{each['id']} ({each['help']}): {each['where']}" for each in found] + broken


@asynccontextmanager
async def sitter(
    browser: Browser, url: str, *scripts: str, path: str = "", locale: str | None = None
) -> AsyncIterator[Sitter]:
    """Open the page at `url` + `path` for screenshots; `scripts` run in it before its own."""
    width, height = SIZES["desktop"]
    context = await browser.new_context(viewport={"width": width, "height": height}, locale=locale)
    try:
        await context.add_init_script(path=AXE)
        for script in (WATCH_POLICY, *scripts):
            await context.add_init_script(script)
        page = await context.new_page()
        sitter = Sitter(page)
        page.on("request", lambda r: sitter.elsewhere.append(r.url) if not r.url.startswith(url) else None)
        await page.goto(url + path)
        yield sitter
        assert sitter.complaints == []
        assert sitter.elsewhere == []
    finally:
        await context.close()
