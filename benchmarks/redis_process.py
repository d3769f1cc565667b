"""A redis-server for one benchmark."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def redis_server() -> Iterator[str]:
    """Start a redis-server without persistence; yield its URL."""
    program = shutil.which("redis-server")
    if program is None:
        sys.exit("benchmarks.store: redis-server is not on PATH; scripts/install-parts installs it")
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/redis.sock"
        options = ["--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no"]
        process = subprocess.Popen([program, *options], cwd=folder, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if "Ready to accept connections" in line or "ready to accept connections" in line:
                    break
            yield f"unix://{path}"
        finally:
            process.kill()
            process.communicate()
