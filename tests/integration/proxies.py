"""Reverse proxies, each started with its configuration from docs/how-to/reverse-proxies.md."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from tests.documents import ROOT, read
from tests.parts import eventually, free_port, program, require_part

PAGE: Final = ROOT / "docs" / "how-to" / "reverse-proxies.md"
PUBLIC_PORT: Final = re.compile(r"(listen |bind :|^:|address: \":|0\.0\.0\.0, port_value: )80\b", re.MULTILINE)
ROUTER: Final = re.compile(r"(127\.0\.0\.1(?::|, port_value: ))8080\b")

Edit = Callable[[str], str]


def documented(language: str) -> list[str]:
    """Return the blocks of the guide in a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", read(PAGE), re.DOTALL | re.MULTILINE)


def _unchanged(text: str) -> str:
    return text


@dataclass(frozen=True)
class Kind:
    """A program: the language of its blocks in the guide, and its arguments for a folder with their files."""

    name: str
    files: tuple[str, ...]
    arguments: tuple[str, ...]
    edit: Edit = _unchanged
    """Changes that only the place of the files and the ports of a test require."""
    from_python: bool = False
    """Whether the program is a package of the environment, not of the system."""

    def program(self) -> str:
        """Return the path of the program; skip the test without it."""
        if not self.from_python:
            return require_part(self.name)
        path = Path(sys.executable).with_name(self.name)
        if not path.exists():
            pytest.skip(f"{self.name} is published for Linux on x86-64 only")
        return str(path)


def _nginx_files(text: str) -> str:
    folders = "".join(f"{each}_temp_path {each};\n" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return text.replace("http {\n", f"http {{\naccess_log off;\n{folders}", 1)


def _caddy_options(text: str) -> str:
    return "{\n\tadmin off\n\tauto_https off\n}\n" + text


KINDS: Final = [
    Kind(
        "nginx",
        ("nginx.conf",),
        ("-e", "stderr", "-p", "{folder}", "-c", "nginx.conf", "-g", "daemon off; pid nginx.pid;"),
        _nginx_files,
    ),
    Kind("haproxy", ("haproxy.cfg",), ("-db", "-f", "{folder}/haproxy.cfg")),
    Kind("caddy", ("Caddyfile",), ("run", "--config", "{folder}/Caddyfile", "--adapter", "caddyfile"), _caddy_options),
    Kind(
        "traefik",
        ("traefik.yml", "router.yml"),
        ("--configFile={folder}/traefik.yml",),
        lambda text: text.replace("/etc/traefik/", "{folder}/"),
        from_python=True,
    ),
    Kind(
        "envoy",
        ("envoy.yaml",),
        ("-c", "{folder}/envoy.yaml", "--concurrency", "1", "--disable-hot-restart", "-l", "warning"),
        from_python=True,
    ),
]


@asynccontextmanager
async def proxy(kind: Kind, router_port: int, folder: Path, edit: Edit = _unchanged) -> AsyncIterator[str]:
    """Run a proxy in front of a router's port; yield its URL. `edit` changes the documented configuration."""
    blocks = documented(kind.name)
    assert len(blocks) == len(kind.files)
    port = free_port()
    files = folder / kind.name
    await asyncio.to_thread(files.mkdir)
    for name, block in zip(kind.files, blocks, strict=True):
        text = PUBLIC_PORT.sub(rf"\g<1>{port}", ROUTER.sub(rf"\g<1>{router_port}", edit(block)))
        await asyncio.to_thread((files / name).write_text, kind.edit(text).replace("{folder}", str(files)))
    arguments = [each.replace("{folder}", str(files)) for each in kind.arguments]
    log = files / "log"
    with await asyncio.to_thread(log.open, "wb") as output:
        async with program(kind.program(), *arguments, cwd=files, stdout=output, stderr=output) as process:
            url = f"http://127.0.0.1:{port}"
            async with aiohttp.ClientSession() as http:

                async def answers() -> bool:
                    if process.returncode is not None:
                        pytest.fail(f"{kind.name} has ended: {await asyncio.to_thread(log.read_text)}")
                    async with http.get(f"{url}/livez") as answer:
                        return answer.status != 404  # Traefik's, until it has read its second file

                await eventually(answers, f"{kind.name} answers", tolerating=(aiohttp.ClientError,))
            yield url
