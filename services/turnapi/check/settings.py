"""What the check of TURN servers can be told."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict
from yarl import URL

from pixelfleet.service.settings import ServiceSettings


def _address(text: str) -> str:
    url = URL(text)
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("must be an http:// or https:// address")
    return text


class Settings(ServiceSettings):
    """Tries every STUN and TURN server that players are told of, from this machine, as a player would."""

    model_config = SettingsConfigDict(env_prefix="PIXELFLEET_TURN_CHECK_")
    command: ClassVar[str] = "turn-check"

    url: Annotated[str, AfterValidator(_address)] = Field(
        "http://127.0.0.1:3480", description="the TURN API to ask for servers and credentials"
    )
    file: Path | None = Field(None, description="or a JSON file with an RTCConfiguration, as signalservers take it")
    seconds: float = Field(5.0, gt=0, le=60, description="how long each server may take to answer")
    tls_ca: Path | None = Field(None, description="certificate authority (PEM) to trust, besides the system's")
