"""Makes invites to sessions for operators."""

from time import time
from typing import Final

import msgspec
from aiohttp import web
from pydantic import SecretStr

from matchmaker.http.fleet_reader import FleetReader
from matchmaker.http.schemas import Invitation
from pixelfleet.fleet.invites import DEFAULT_SECONDS, INVITE, invite_key, sign
from pixelfleet.fleet.model import Lease
from pixelfleet.protocol.people import Invite, InviteRequest

NO_KEY: Final = "invites need --session-key"


class Invitations:
    """Signs invites to the sessions of a fleet."""

    def __init__(self, reader: FleetReader, session_key: SecretStr | None) -> None:
        self._reader = reader
        self._key = invite_key(session_key.get_secret_value()) if session_key is not None else None

    async def make(self, request: web.Request) -> Invitation:
        """Return the invite that a request asks for.

        Raises HTTPBadRequest for an invalid parameter, HTTPNotFound for an unknown session and HTTPConflict for one
        that nobody can join.
        """
        wanted = _wanted(request)
        if self._key is None:
            raise web.HTTPConflict(reason=NO_KEY)
        lease = await self._lease(request.match_info["id"])
        if lease.streamer.legacy:
            raise web.HTTPConflict(reason="nobody can join a session of a legacy server")
        if lease.session_id in lease.streamer.spectators:
            raise web.HTTPConflict(reason="this session is one of an invited person or a spectator")
        invite = Invite(
            session=lease.session_id, role=wanted.role, app=lease.streamer.app, name=wanted.name, once=wanted.once
        )
        token = sign(invite, self._key, wanted.seconds)
        return Invitation(
            session=lease.session_id,
            role=wanted.role,
            once=wanted.once,
            expires_at=float(int(time()) + wanted.seconds),
            token=token,
            query=f"{INVITE}={token}",
        )

    async def _lease(self, session_id: str) -> Lease:
        for lease in (await self._reader.snapshot()).leases:
            if lease.session_id == session_id:
                return lease
        raise web.HTTPNotFound(reason="no such session")


def _wanted(request: web.Request) -> InviteRequest:
    """Return the parameters of a request. Raises HTTPBadRequest."""
    query = request.query
    fields = {
        "role": query.get("role", "spectator"),
        "seconds": query.get("seconds", str(DEFAULT_SECONDS)),
        "once": query.get("once", "0") in ("1", "true"),
        "name": query.get("name", ""),
    }
    try:
        return msgspec.convert(fields, InviteRequest, strict=False)
    except msgspec.ValidationError as error:
        raise web.HTTPBadRequest(reason=f"the invite is not valid: {error}") from None
