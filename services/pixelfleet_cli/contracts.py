"""`python -m pixelfleet_cli.contracts`: writes the OpenAPI documents of the services."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

import matchmaker.http.contract
import signalserver.contract
import turnapi.contract
from pixelfleet.net.openapi import Contract

SERVICES: Final = Path(__file__).parents[1]
CONTRACTS: Final[Mapping[str, Contract]] = {
    "matchmaker/http/openapi.json": matchmaker.http.contract.CONTRACT,
    "signalserver/openapi.json": signalserver.contract.CONTRACT,
    "turnapi/openapi.json": turnapi.contract.CONTRACT,
}
"""Contracts by the path of their document below services/."""


def text_of(contract: Contract) -> bytes:
    """Return the OpenAPI document of a contract as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(contract.document()), indent=1) + b"\n"


def main() -> int:
    """Write all documents; return the exit code."""
    for file, contract in CONTRACTS.items():
        (SERVICES / file).write_bytes(text_of(contract))
    return 0


if __name__ == "__main__":
    sys.exit(main())
