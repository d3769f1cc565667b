import msgspec
import pytest

from pixelfleet.auth import links
from pixelfleet.fleet import handover, tokens
from pixelfleet.fleet.handover import (
    CLAIM_AUDIENCE,
    DESTINATION_AUDIENCE,
    MAX_REASON_LENGTH,
    MAX_REMEMBERED,
    REUSE_SECONDS,
    Arrived,
    ClaimReader,
    ClaimWriter,
    Destination,
    Failed,
    Handover,
    Hold,
    Relay,
    failed,
    handover_key,
)
from pixelfleet.service import signing
from pixelfleet.service.signing import TokenError

SESSION_KEY = "k" * 32
KEY = handover_key(SESSION_KEY)
DESTINATION = Destination("ws://10.0.0.1:4000/?session=token", "a" * 32, 3.0)


@pytest.mark.parametrize("order", [Hold(), Relay(), Handover("text")])
def test_an_order_is_read_as_it_was_written_and_is_no_answer(order: handover.Order) -> None:
    data = handover.encode(order)
    assert handover.read_order(data) == order
    assert handover.read_answer(data) is None


@pytest.mark.parametrize("answer", [Arrived(0.5), Failed(409, "taken")])
def test_an_answer_is_read_as_it_was_written_and_is_no_order(answer: handover.Answer) -> None:
    data = handover.encode(answer)
    assert handover.read_answer(data) == answer
    assert handover.read_order(data) is None


def test_the_reason_of_a_failed_dial_is_bounded() -> None:
    assert failed(0, "x" * 10_000) == Failed(0, "x" * MAX_REASON_LENGTH)


def test_a_destination_is_verified() -> None:
    assert handover.verify(handover.sign(DESTINATION, KEY), KEY) == DESTINATION
    with pytest.raises(TokenError):
        handover.verify(handover.sign(DESTINATION, handover_key("x" * 32)), KEY)


def test_a_destination_of_an_earlier_release_has_no_confirmation_time() -> None:
    claims = {"url": DESTINATION.url, "sub": DESTINATION.session}
    text = signing.sign(claims, KEY, audience=DESTINATION_AUDIENCE, seconds=60)
    assert handover.verify(text, KEY) == Destination(DESTINATION.url, DESTINATION.session, 0.0)


def test_a_destination_has_a_trace_only_with_tracing() -> None:
    traced = msgspec.structs.replace(DESTINATION, trace=f"00-{'a' * 32}-{'b' * 16}-01")
    assert handover.verify(handover.sign(traced, KEY), KEY) == traced
    assert "trace" not in signing.verify(handover.sign(DESTINATION, KEY), KEY, audience=DESTINATION_AUDIENCE)


def test_no_other_token_of_the_fleet_is_a_claim_or_a_destination() -> None:
    claims = {"sub": "a", "url": "ws://127.0.0.1/"}
    others = [
        tokens.sign(tokens.SessionToken("a", CLAIM_AUDIENCE, "cam", "default"), SESSION_KEY),
        tokens.sign(tokens.SessionToken("a", DESTINATION_AUDIENCE, "cam", "default"), SESSION_KEY),
        links.sign(links.SignedLink(), SESSION_KEY, 60),
        signing.sign(claims, SESSION_KEY, audience=DESTINATION_AUDIENCE, seconds=60),
        signing.sign(claims, KEY, audience="pod-1", seconds=60),
    ]
    for text in others:
        with pytest.raises(TokenError):
            handover.verify(text, KEY)
        with pytest.raises(TokenError):
            ClaimReader(KEY).check(text, 0.0)
    with pytest.raises(TokenError):
        handover.verify(ClaimWriter(KEY).claim(0.0), KEY)
    with pytest.raises(TokenError):
        ClaimReader(KEY).check(handover.sign(DESTINATION, KEY), 0.0)
    with pytest.raises(TokenError):
        tokens.verify(handover.sign(DESTINATION, KEY), SESSION_KEY, DESTINATION_AUDIENCE)


def test_a_destination_without_a_url_is_refused() -> None:
    for claims in ({"sub": "a"}, {"url": "ws://127.0.0.1/"}, {"sub": "a", "url": 1}):
        text = signing.sign(claims, KEY, audience=DESTINATION_AUDIENCE, seconds=60)
        with pytest.raises(TokenError):
            handover.verify(text, KEY)


def test_a_claim_is_signed_once_and_verified_once_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []
    verify = signing.verify

    def count(text: str, *arguments: object, **options: object) -> object:
        verified.append(text)
        return verify(text, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(signing, "verify", count)
    writer, reader = ClaimWriter(KEY), ClaimReader(KEY)
    claim = writer.claim(100.0)
    assert writer.claim(100.0 + REUSE_SECONDS - 1) == claim
    reader.check(claim, 0.0)
    reader.check(claim, REUSE_SECONDS - 1)
    assert verified == [claim]
    reader.check(claim, REUSE_SECONDS)
    assert verified == [claim, claim]


def test_invalid_claims_are_not_remembered_and_valid_ones_take_bounded_memory() -> None:
    reader = ClaimReader(KEY)
    for _ in range(3):
        with pytest.raises(TokenError):
            reader.check("forged", 0.0)
    assert not reader._valid_until
    for number in range(MAX_REMEMBERED + 1):
        reader.check(signing.sign({"n": number}, KEY, audience=CLAIM_AUDIENCE, seconds=60), 0.0)
    assert len(reader._valid_until) <= MAX_REMEMBERED
