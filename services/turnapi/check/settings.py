"""Settings of the check of TURN servers."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict
from yarl import URL

from pixelfleet.service.settings import ServiceSettings
from pixelfleet.service.values import File, Seconds, Url


def _address(text: str) -> str:
    url = URL(text)
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("must be an http:// or https:// address")
    return text


class Settings(ServiceSettings):
    """The check tries every STUN and TURN server of a configuration from this machine, as a player does."""

    model_config = SettingsConfigDict(env_prefix="PIXELFLEET_TURN_CHECK_")
    command: ClassVar[str] = "turn-check"
    sections: ClassVar[Mapping[str, str]] = {"url": "Check"}
    unused: ClassVar[frozenset[str]] = frozenset({"host"})

    url: Annotated[Url, AfterValidator(_address)] = Field(
        "http://127.0.0.1:3480", description="The TURN API at this URL provides servers and credentials."
    )
    file: File | None = Field(
        None, description="This JSON file contains the RTCConfiguration to check, in place of the TURN API."
    )
    seconds: Seconds = Field(5.0, gt=0, le=60, description="A server that has not answered after this time has failed.")
    tls_ca: File | None = Field(
        None, description="This CA (PEM) verifies servers, in addition to the authorities of the system."
    )
