import pytest

from pixelfleet.service.errors import UsageError
from pixelfleet.service.settings import load
from turnapi.credentials import FixedUser, SharedSecret
from turnapi.settings import Settings

SERVER = ["--server", "192.0.2.1"]
SECRET = ["--secret", "0123456789abcdef"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ([], "--server, --servers-file, --pod-label or --node-label"),
        (SECRET, "exactly one"),
        ([*SERVER, *SECRET, "--node-label", "app.pixel/turn"], "exactly one"),
        ([*SERVER, *SECRET, "--pod-label", "a=b", "--pod-namespace", "pixel"], "exactly one"),
        ([*SECRET, "--pod-label", "a=b", "--node-address", "internal"], "--pod-label and --pod-namespace"),
        ([*SECRET, "--node-label", "a=b", "--pod-namespace", "pixel"], "--pod-label and --pod-namespace"),
        ([*SECRET, "--pod-label", "a=b", "--pod-namespace", "pixel"], "--node-address external: needs --node-label"),
        (SERVER, "--secret, or --username"),
        ([*SERVER, "--secret", ""], "--secret, or --username"),
        ([*SERVER, "--secret", "short"], "16 bytes"),
        ([*SERVER, *SECRET, "--username", "user"], "only one of them"),
        ([*SERVER, "--username", "user"], "both or none"),
        ([*SERVER, "--credential", "pass"], "both or none"),
        ([*SERVER, *SECRET, "--transports", "stun"], "has no relay"),
        (["--server", "a:b", *SECRET], "--server"),
        (["--server", "turn.example.com:5061", *SECRET], "--server"),
        ([*SERVER, *SECRET, "--turn-port", "10080"], "--turn-port"),
        ([*SERVER, *SECRET, "--tls-port", "5061"], "--tls-port"),
        ([*SERVER, "--username", "\u00fc" * 255, "--credential", "pass"], "--username"),
        ([*SECRET, "--node-label", "a", "--kube-api", "localhost:8001"], "--kube-api"),
        ([*SERVER, *SECRET, "--lifetime", "1"], "--lifetime"),
    ],
)
def test_invalid_combinations_are_refused_in_one_line(options: list[str], error: str) -> None:
    with pytest.raises(UsageError) as refused:
        load(Settings, options)
    assert error in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "0123456789abcdef" not in str(refused.value)


def test_credentials_come_from_a_secret_or_a_fixed_user() -> None:
    assert isinstance(load(Settings, [*SERVER, *SECRET]).credential_issuer(), SharedSecret)
    assert isinstance(load(Settings, [*SERVER, "--username", "u", "--credential", "p"]).credential_issuer(), FixedUser)
