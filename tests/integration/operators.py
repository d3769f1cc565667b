"""Requests to the REST API of a service with the operator's token."""

from typing import Any

import aiohttp
from yarl import URL

TOKEN = "t0ken-of-the-operator"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class OperatorClient:
    """The base of a running service that has a REST API."""

    http: aiohttp.ClientSession

    @property
    def rest_url(self) -> str:
        raise NotImplementedError

    async def ask(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """Return the status and the JSON of a request with the operator's token, unless other headers are given."""
        options.setdefault("headers", BEARER)
        async with self.http.request(method, URL(self.rest_url + path, encoded=True), **options) as answer:
            return answer.status, await answer.json()
