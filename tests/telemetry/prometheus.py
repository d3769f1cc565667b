"""A real Prometheus with the shipped configuration, and a test's targets instead of discovered ones."""

import copy
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import yaml

from tests.parts import eventually, free_port, program, require_part
from tests.telemetry.shipped import KUBERNETES, TELEMETRY, read

SECONDS: Final = "1s"
"""The scrape interval of tests; the shipped one is 15 s."""

Targets = Sequence[dict[str, Any]]
"""Static configurations: `targets` and `labels`."""


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus."""

    http: aiohttp.ClientSession

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the series of an expression at this moment."""
        async with self.http.get("/api/v1/query", params={"query": expression}) as answer:
            body = await answer.json()
        assert body["status"] == "success", f"{expression}: {body}"
        result: list[dict[str, Any]] = body["data"]["result"]
        return result

    async def value(self, expression: str) -> float | None:
        """Return the only value of an expression, or None when there is none."""
        result = await self.query(expression)
        assert len(result) <= 1, f"{expression}: {result}"
        return float(result[0]["value"][1]) if result else None

    async def targets(self) -> list[dict[str, Any]]:
        async with self.http.get("/api/v1/targets") as answer:
            active: list[dict[str, Any]] = (await answer.json())["data"]["activeTargets"]
        return active

    async def rules(self) -> list[dict[str, Any]]:
        async with self.http.get("/api/v1/rules") as answer:
            groups = (await answer.json())["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    async def label_values(self) -> set[str]:
        """Return the values of every label of every series."""
        found: set[str] = set()
        for name in await self._data("/api/v1/labels"):
            found.update(await self._data(f"/api/v1/label/{name}/values"))
        return found

    async def _data(self, path: str) -> list[str]:
        async with self.http.get(path) as answer:
            data: list[str] = (await answer.json())["data"]
        return data


def compose_configuration(targets: Mapping[str, Targets]) -> dict[str, Any]:
    """Return docker-compose's configuration with the targets of each job."""
    return _with_targets(read(TELEMETRY / "prometheus.yml"), targets)


def kubernetes_configuration(targets: Mapping[str, Targets]) -> dict[str, Any]:
    """Return Prometheus's configuration as kube-prometheus-stack makes it, with the targets of each job."""
    spec = read(KUBERNETES / "kube-prometheus-stack.values.yaml")["prometheus"]["prometheusSpec"]
    return _with_targets(
        {
            "global": {"scrape_interval": spec["scrapeInterval"], "evaluation_interval": spec["evaluationInterval"]},
            "rule_files": ["rules.yml"],
            "scrape_configs": spec["additionalScrapeConfigs"],
        },
        targets,
    )


def _with_targets(configuration: dict[str, Any], targets: Mapping[str, Targets]) -> dict[str, Any]:
    configuration = copy.deepcopy(configuration)
    configuration["global"] = {"scrape_interval": SECONDS, "scrape_timeout": SECONDS, "evaluation_interval": SECONDS}
    configuration["rule_files"] = [str(TELEMETRY / name) for name in configuration["rule_files"]]
    for job in configuration["scrape_configs"]:
        for key in [key for key in job if key.endswith("_sd_configs")]:
            del job[key]
        job["static_configs"] = list(targets.get(job["job_name"], ()))
    return configuration


def _written(folder: Path, configuration: Mapping[str, Any]) -> Path:
    folder.mkdir()
    file = folder / "prometheus.yml"
    file.write_text(yaml.safe_dump(dict(configuration)), encoding="utf-8")
    return file


@asynccontextmanager
async def prometheus(folder: Path, configuration: Mapping[str, Any]) -> AsyncIterator[Prometheus]:
    """Run a Prometheus while the body runs, with its files in a new folder; it is ready when the body starts."""
    file = _written(folder, configuration)
    port = free_port()
    options = (
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    )
    with (folder / "log").open("w") as log:
        async with (
            program(require_part("prometheus"), *options, stdout=log, stderr=log),
            aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http,
        ):

            async def ready() -> bool:
                async with http.get("/-/ready") as answer:
                    return answer.status == 200

            await eventually(ready, "Prometheus is ready", tolerating=(aiohttp.ClientError,))
            yield Prometheus(http)
