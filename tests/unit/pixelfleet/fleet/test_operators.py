"""The signed header that names an operator."""

import pytest
from multidict import CIMultiDict
from pydantic import SecretStr

from pixelfleet.fleet.handover import ClaimWriter, handover_key
from pixelfleet.fleet.operators import OPERATOR_HEADER, Operator, OperatorReader, OperatorWriter

KEY, OTHER_KEY = SecretStr("k" * 32), SecretStr("o" * 32)
ADA = Operator("ada", "basic", "192.0.2.7")
UNNAMED = Operator("", "token", "10.0.0.1")


def read(headers: dict[str, str], key: SecretStr | None = KEY, proxies: int = 0) -> Operator:
    return OperatorReader(key, proxies).read("10.0.0.1", CIMultiDict(headers))


def test_a_signed_operator_is_read() -> None:
    assert read(OperatorWriter(KEY).headers(ADA)) == ADA


def test_a_subject_of_any_characters_is_a_valid_header_of_bounded_length() -> None:
    headers = OperatorWriter(KEY).headers(Operator("ä\r\n" * 1000, "jwt", "::1"))
    assert headers[OPERATOR_HEADER].isascii()
    assert read(headers) == Operator(("ä\r\n" * 1000)[:200], "jwt", "::1")


@pytest.mark.parametrize(
    "header",
    [
        "ada",
        "",
        OperatorWriter(OTHER_KEY).headers(ADA)[OPERATOR_HEADER],
        ClaimWriter(handover_key(KEY.get_secret_value())).claim(0.0),
    ],
)
def test_any_other_value_is_ignored(header: str) -> None:
    assert read({OPERATOR_HEADER: header}) == UNNAMED


def test_without_a_key_no_name_is_sent_or_believed() -> None:
    assert OperatorWriter(None).headers(ADA) == {}
    assert read(OperatorWriter(KEY).headers(ADA), key=None) == UNNAMED


def test_without_a_name_the_address_is_that_of_the_client_behind_trusted_proxies() -> None:
    forwarded = {"X-Forwarded-For": "198.51.100.4"}
    assert read(forwarded) == UNNAMED
    assert read(forwarded, proxies=1).address == "198.51.100.4"
