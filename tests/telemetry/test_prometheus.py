"""The shipped configuration, rules, dashboard and adapter rules, on a Prometheus that scrapes the real services."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from pixelfleet_cli.simulate.inputs import range_of
from tests.documents import ROOT, read
from tests.parts import PATIENCE_SECONDS, eventually, program, require_part
from tests.telemetry.fleet import LOOPBACK, Fleet, under_load
from tests.telemetry.prometheus import Prometheus, compose_configuration, kubernetes_configuration, prometheus
from tests.telemetry.promql import selectors
from tests.telemetry.shipped import adapter_query, adapter_rules, expressions

pytestmark = pytest.mark.integration

NOT_IN_COMPOSE = ("DCGM_", "container_", "certmanager_")
"""Series of which only a cluster has exporters."""

REFERENCE_NAMES = ("matchmaker_player_queue_count ", "matchmaker_streamer_available_count ")
"""Names that existing dashboards and autoscalers read; promtool objects to their suffix _count."""


@dataclass
class Scene:
    """A fleet under load, and two Prometheus servers that scrape it, one for each configuration."""

    fleet: Fleet
    compose: Prometheus
    kubernetes: Prometheus


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    require_part("prometheus")
    async with Fleet.running(tmp_path) as fleet, under_load(fleet):
        named = {job: fleet.static(job) for job in fleet.ports}
        exporter = f"{LOOPBACK}:{await fleet.recorded('cluster')}"
        gpus = [{"targets": [exporter], "labels": {"__meta_kubernetes_service_name": "dcgm-exporter"}}]
        described = {"pixelfleet": fleet.pods(), "gpu-metrics": gpus}
        async with (
            prometheus(tmp_path / "compose", compose_configuration(named)) as compose,
            prometheus(tmp_path / "kubernetes", kubernetes_configuration(described)) as kubernetes,
        ):
            yield Scene(fleet, compose, kubernetes)


async def test_every_target_is_up_and_every_read_series_has_a_value(scene: Scene) -> None:
    for server in (scene.compose, scene.kubernetes):
        await eventually(partial(all_up, server), "every target is up")
    wanted = [(each.where, selector) for each in expressions() for selector in selectors(each.text)]
    assert len(wanted) > 80
    await everything_has_a_value(scene.kubernetes, wanted)
    here = [(where, selector) for where, selector in wanted if not selector.startswith(NOT_IN_COMPOSE)]
    here = [(where, selector) for where, selector in here if not where.startswith("adapter")]  # has no namespace
    await everything_has_a_value(scene.compose, here)
    assert await scene.kubernetes.query('DCGM_FI_DEV_GPU_UTIL{namespace="pixel",pod!=""}'), "the pod that uses the GPU"
    await every_rule_is_evaluated(scene.kubernetes)
    await the_queries_of_the_guide_to_capacity_have_a_value(scene.kubernetes)
    await every_adapter_rule_names_its_objects(scene.kubernetes)
    await the_services_metrics_are_clean(scene.fleet)


async def all_up(server: Prometheus) -> bool:
    targets = await server.targets()
    return bool(targets) and all(target["health"] == "up" for target in targets)


async def everything_has_a_value(server: Prometheus, wanted: list[tuple[str, str]]) -> None:
    missing = dict.fromkeys(wanted)

    async def found() -> bool:
        for where, selector in list(missing):
            if await server.query(f"last_over_time({selector}[1m])"):
                del missing[where, selector]
        return not missing

    try:
        await eventually(found, "every series has a value")
    except BaseException:
        print("without a value:", *missing, sep="\n  ")  # noqa: T201 - what is missing, when the test fails
        raise


async def every_rule_is_evaluated(server: Prometheus) -> None:
    evaluated = await server.rules()
    assert len(evaluated) >= 20
    assert {rule["health"] for rule in evaluated} == {"ok"}, [rule for rule in evaluated if rule["health"] != "ok"]


async def the_queries_of_the_guide_to_capacity_have_a_value(server: Prometheus) -> None:
    queries = re.findall(r"'query=(.+)'", read(ROOT / "docs" / "how-to" / "capacity.md"))
    arrivals, session = queries
    assert await server.value(session.replace("7d", "1m")) is not None
    now = time.time()
    params = {"query": arrivals, "start": str(now - 3600), "end": str(now), "step": "3600"}
    async with server.http.get("/api/v1/query_range", params=params) as answer:
        assert len(range_of(await answer.text()).per_hour) == 1


async def every_adapter_rule_names_its_objects(server: Prometheus) -> None:
    for rule in adapter_rules():
        by_service = "service_name" in rule["resources"]["overrides"]
        query = adapter_query(rule, namespace="pixel", **({"service_name": "matchmaker"} if by_service else {}))
        series = await server.query(query)
        label = "service_name" if by_service else "pod"
        assert series, query
        assert all(set(each["metric"]) == {label} for each in series), query
        assert not by_service or [each["metric"][label] for each in series] == ["matchmaker"]


async def the_services_metrics_are_clean(fleet: Fleet) -> None:
    pipes = {"stdin": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.STDOUT}
    for job, ports in fleet.ports.items():
        if job == "turn":
            continue
        async with aiohttp.ClientSession() as http, http.get(f"http://{LOOPBACK}:{ports[0]}/metrics") as answer:
            page = await answer.read()
        async with (
            program(require_part("promtool"), "check", "metrics", **pipes) as checker,
            asyncio.timeout(PATIENCE_SECONDS),
        ):
            output, _ = await checker.communicate(page)
        complaints = {line for line in output.decode().splitlines() if not line.startswith(REFERENCE_NAMES)}
        assert (job, complaints) == (job, set())
