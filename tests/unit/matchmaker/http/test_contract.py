"""What the document says of every call. What the calls do is tested with real sockets."""

from typing import Any

import pytest

from matchmaker.http.contract import CONTRACT

DEFINITION: dict[str, Any] = CONTRACT.document()


@pytest.mark.parametrize("path", DEFINITION["paths"])
def test_every_call_of_the_api_needs_a_token_and_may_fail(path: str) -> None:
    for call in DEFINITION["paths"][path].values():
        assert {"200", "202", "302"} & set(call["responses"])
        if path.startswith("/api/v1/") and not path.endswith("openapi.json"):
            assert call["security"] == [{"bearer": []}]
            assert {"401", "403", "503"} <= set(call["responses"])
