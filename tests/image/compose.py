"""docker-compose.yml parsed for tests: the used fields of the specification, and the arguments of services."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

ROOT: Final = Path(__file__).parents[2]
FILE: Final = ROOT / "docker-compose.yml"
ADDRESS: Final = "172.28.57.9"
"""The variables of every container."""


class Strict(BaseModel):
    """A model without unknown fields and without type conversion."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)


class Build(Strict):
    context: str
    target: str


class Healthcheck(Strict):
    disable: bool = False
    test: list[str] = []
    interval: str = Field("30s", pattern=r"^\d+(ms|s|m|h)$")


class Dependency(Strict):
    condition: Literal["service_started", "service_healthy", "service_completed_successfully"]


class Deploy(Strict):
    replicas: int = Field(ge=1)


class Service(Strict):
    """The used fields of the Compose specification."""

    image: str
    build: Build | None = None
    entrypoint: list[str] | None = None
    command: list[str] = []
    environment: dict[str, str] = {}
    restart: Literal["no", "always", "on-failure", "unless-stopped"] = "no"
    read_only: bool = False
    cap_drop: list[str] = []
    cap_add: list[str] = []
    security_opt: list[str] = []
    stop_grace_period: str = Field("10s", pattern=r"^\d+s$")
    ports: list[str] = []
    volumes: list[str] = []
    networks: list[str] = []
    depends_on: dict[str, Dependency] = {}
    healthcheck: Healthcheck | None = None
    deploy: Deploy | None = None


class Subnet(Strict):
    subnet: str


class Ipam(Strict):
    config: list[Subnet]


class Network(Strict):
    ipam: Ipam


class Compose(Strict):
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    template: dict[str, Any] = Field(alias="x-service")
    services: dict[str, Service]
    networks: dict[str, Network]
    volumes: dict[str, None]


def read() -> Compose:
    return Compose.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def make_secrets(folder: Path) -> None:
    """Make the files that the service `secrets` makes."""
    # The image has its Python, with the packages of the services, first in PATH.
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run(["sh", ROOT / "scripts" / "compose-secrets", folder], env={"PATH": path}, check=True)


def arguments_of(service: Service, folder: Path) -> list[str]:
    """Return the arguments of `pixelfleet` in a service, with the secrets in a folder."""
    words = words_of_shell(service.command[0], folder) if service.entrypoint else service.command
    shown = {"/run/pixelfleet": str(folder), "${HOST_ADDRESS:-127.0.0.1}": "127.0.0.1"}
    for before, after in shown.items():
        words = [word.replace(before, after) for word in words]
    return words


def words_of_shell(line: str, folder: Path) -> list[str]:
    """Return the words after `exec pixelfleet`, expanded by a shell on a machine with an address."""
    bin_folder = folder / "bin"
    bin_folder.mkdir(exist_ok=True)
    (bin_folder / "hostname").write_text(f"#!/bin/sh\necho {ADDRESS}\n")
    (bin_folder / "hostname").chmod(0o755)
    output = subprocess.run(
        ["sh", "-c", line.replace("$$", "$").replace("exec pixelfleet", "printf '%s\n'")],
        env={"PATH": f"{bin_folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return output.stdout.splitlines()
