"""What the records of sessions have from the requests of their players."""

import secrets
from typing import Final

from multidict import MultiMapping

from matchmaker.client_limits import player_address
from matchmaker.join_request import JoinRequest
from matchmaker.settings import Settings
from pixelfleet.auth.identity import Identity
from pixelfleet.fleet.records import Origin, address_key, recorded_address

MAX_WHO_LENGTH: Final = 256
"""A longer subject is cut in records."""


class Origins:
    """Makes the origins of one replica's sessions."""

    def __init__(self, settings: Settings) -> None:
        self._enabled = settings.history_sessions > 0
        self._addresses = settings.record_addresses
        self._proxies = settings.trusted_proxies
        key = settings.session_key
        # Without a session key, hashes of one process can only be compared among themselves.
        self._key = address_key(key.get_secret_value()) if key else secrets.token_bytes(32)

    def of(
        self, identity: Identity, join_request: JoinRequest, remote: str, headers: MultiMapping[str]
    ) -> Origin | None:
        """Return the origin of a session; None without records. `remote` is the address of the connection's peer."""
        if not self._enabled:
            return None
        address = "" if self._addresses == "off" else player_address(remote, headers, self._proxies)
        return Origin(
            who=identity.subject[:MAX_WHO_LENGTH],
            address=recorded_address(address, self._addresses, self._key),
            labels=join_request.labels,
            spectator=join_request.spectator,
        )
