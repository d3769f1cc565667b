"""The OpenAPI document. tests/integration covers the handlers."""

from typing import Any

import pytest

from matchmaker.http.contract import CONTRACT

DEFINITION: dict[str, Any] = CONTRACT.document()


@pytest.mark.parametrize("path", DEFINITION["paths"])
def test_each_api_operation_documents_authentication_and_errors(path: str) -> None:
    for call in DEFINITION["paths"][path].values():
        assert {"200", "201", "202", "302"} & set(call["responses"])
        if path.startswith("/api/v1/") and not path.endswith("openapi.json"):
            assert call["security"] == [{"bearer": []}]
            assert {"401", "403", "503"} <= set(call["responses"])
