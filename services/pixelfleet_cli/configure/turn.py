"""The ports of an installation's TURN servers, which are ports of their nodes. No I/O."""

import re
from collections.abc import Mapping
from typing import Final

from pixelfleet.protocol.ice_urls import port_refusal
from pixelfleet_cli.configure.patches import Patches, replace

MIN_RELAY_PORTS: Final = 100
"""The minimum number of ports for relays: each player uses one or two."""

_PORT: Final = re.compile(r"[0-9]{1,5}")


def port(value: str) -> str:
    """Check a port; return it without leading zeros."""
    if not _PORT.fullmatch(value) or not 1 <= int(value) <= 65535:
        raise ValueError("must be a port from 1 to 65535")
    return str(int(value))


def turn_port(value: str) -> str:
    """Check a port that browsers connect to."""
    checked = port(value)
    if (refusal := port_refusal(int(checked))) is not None:
        raise ValueError(refusal)
    return checked


def relay_ports(value: str) -> str:
    """Check a range of ports, such as 49152-65535."""
    first, dash, last = value.partition("-")
    if not dash or not _PORT.fullmatch(first) or not _PORT.fullmatch(last):
        raise ValueError("must be a range of ports such as 49152-65535")
    if not 1024 <= int(first) <= int(last) - MIN_RELAY_PORTS + 1 or int(last) > 65535:
        raise ValueError(f"must be a range of at least {MIN_RELAY_PORTS} ports from 1024 to 65535")
    return f"{int(first)}-{int(last)}"


def port_conflicts(values: Mapping[str, str]) -> list[str]:
    """Return the errors of ports that are used twice; `values` may lack those that are invalid."""
    names = [name for name in ("TURN_PORT", "TURN_METRICS_PORT") if name in values]
    wrong = []
    if len({values[name] for name in names}) < len(names):
        wrong.append("TURN_METRICS_PORT: must differ from TURN_PORT")
    if "TURN_RELAY_PORTS" in values:
        first, last = _relays(values)
        wrong += [
            f"TURN_RELAY_PORTS: must not contain {name} ({values[name]})"
            for name in names
            if first <= int(values[name]) <= last
        ]
    return wrong


def turn_settings(values: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of coturn's container that sets its ports."""
    first, last = _relays(values)
    return {
        "TURN_PORT": values["TURN_PORT"],
        "METRICS_PORT": values["TURN_METRICS_PORT"],
        "RELAYS_FIRST": str(first),
        "RELAYS_LAST": str(last),
    }


def turn_patches(values: Mapping[str, str]) -> Patches:
    """Return the patches of the objects that repeat the ports."""
    numbers = [int(values[name]) for name in ("TURN_PORT", "TURN_PORT", "TURN_METRICS_PORT")]
    ports = "/spec/template/spec/containers/0/ports"
    daemon_set = [
        replace(f"{ports}/{index}/{field}", number)
        for index, number in enumerate(numbers)
        for field in ("containerPort", "hostPort")
    ]
    scraped = "/spec/template/metadata/annotations/prometheus.io~1port"
    return [
        ({"kind": "DaemonSet", "name": "turn"}, [*daemon_set, replace(scraped, values["TURN_METRICS_PORT"])]),
        ({"kind": "NetworkPolicy", "name": "^stream$"}, [replace("/spec/egress/1/ports/1/port", numbers[0])]),
    ]


def _relays(values: Mapping[str, str]) -> tuple[int, int]:
    first, _, last = values["TURN_RELAY_PORTS"].partition("-")
    return int(first), int(last)
