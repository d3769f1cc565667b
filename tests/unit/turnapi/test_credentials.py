import base64
import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from turnapi.credentials import NAME, FixedUser, SharedSecret


@given(
    secret=st.text(min_size=16, max_size=64).filter(lambda text: text.isprintable()),
    name=st.from_regex(NAME, fullmatch=True),
    now=st.floats(1.7e9, 4e9),
    lifetime=st.floats(60, 1e6),
    leeway=st.floats(0, 3600),
)
def test_credentials_contain_their_expiry_and_are_signed(
    secret: str, name: str, now: float, lifetime: float, leeway: float
) -> None:
    made = SharedSecret(SecretStr(secret), leeway).make(name, now, lifetime)
    expiry, _, rest = made.username.partition(":")
    assert rest == name
    assert now + lifetime + leeway - 1 < int(expiry) <= now + lifetime + leeway
    digest = hmac.new(secret.encode(), made.username.encode(), hashlib.sha1).digest()
    assert base64.b64decode(made.credential) == digest


def test_a_known_value() -> None:
    # Computed with openssl: printf 1433895918:ninefingers | openssl dgst -sha1 -hmac north -binary | base64
    made = SharedSecret(SecretStr("north")).make("ninefingers", 1433895318, 600)
    assert made.username == "1433895918:ninefingers"
    assert made.credential == "jy8hTxmOO7UtEKXqSkSlvakPVYA="


def test_a_fixed_user_is_the_same_for_all_names_and_hides_its_secret() -> None:
    user = FixedUser("user", SecretStr("hunter2"))
    assert user.make("a", 0, 60) == user.make("b", 9, 99)
    assert "hunter2" not in repr(user)
    assert "hunter2" not in repr(SharedSecret(SecretStr("hunter2")))
