"""A real nginx on loopback, with a configuration of one server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.parts import eventually, free_port, program, require_part

CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    {server}
  }}
}}
"""

UPGRADE = """
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
"""
"""The directives with which nginx forwards a websocket."""


@asynccontextmanager
async def running_nginx(folder: Path, server: str) -> AsyncIterator[int]:
    """Run nginx with these directives in its server; yield its port when it accepts connections."""
    nginx = require_part("nginx")
    port = free_port()
    configuration = folder / f"nginx-{port}.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port, server=server))

    async def accepts() -> bool:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        return True

    async with program(nginx, "-e", "stderr", "-p", str(folder), "-c", str(configuration)):
        await eventually(accepts, "nginx accepts connections", tolerating=(OSError,))
        yield port
