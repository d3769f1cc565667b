"""The signature of webhooks, with the example of Standard Webhooks."""

import pytest

from matchmaker.webhooks.core.signature import keys_of, signed_headers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_example_of_standard_webhooks() -> None:
    headers = signed_headers(keys_of(SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_each_secret_adds_a_signature() -> None:
    keys = keys_of(f"{SECRET} whsec_{'A' * 32}\n")
    first, second = signed_headers(keys, "id", 1, b"{}")["webhook-signature"].split()
    assert first == signed_headers(keys[:1], "id", 1, b"{}")["webhook-signature"]
    assert second == signed_headers(keys[1:], "id", 1, b"{}")["webhook-signature"]


@pytest.mark.parametrize(
    "secret", ["", " ", "secret", "whsec_", "whsec_!!!!", "whsec_QUJD", SECRET[6:], "whsec_" + "A" * 88]
)
def test_an_invalid_secret_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match=r"whsec_ and 24 to 64 bytes in base64|no secret"):
        keys_of(secret)
