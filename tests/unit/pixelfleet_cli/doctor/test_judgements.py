"""The judgement of observations of the network, pages, websockets, fleets and TURN servers."""

import msgspec
import pytest

from pixelfleet_cli.doctor.findings.answers import Answer, refusal_of
from pixelfleet_cli.doctor.findings.fleet import Service, judge_list, judge_machine, service_of
from pixelfleet_cli.doctor.findings.model import Result
from pixelfleet_cli.doctor.findings.network import (
    Attempt,
    Certificate,
    Lookup,
    judge_address,
    judge_certificate,
    judge_connection,
    judge_plain,
)
from pixelfleet_cli.doctor.findings.page import MAX_ASSETS, Asset, files_of, judge_clock, judge_page
from pixelfleet_cli.doctor.findings.target import target_of
from pixelfleet_cli.doctor.findings.turn import (
    MAX_PROBES,
    chosen,
    judge_no_answer,
    judge_none,
    judge_probes,
    judge_unusable,
)
from pixelfleet_cli.doctor.findings.websocket import Silence, Upgrade, judge_silence, judge_upgrade
from turnapi.check.plan import UNAUTHORIZED, Probe
from turnapi.check.plan import Result as Probed

DAY = 86400.0
NOW = 1_800_000_000.0


def names(result: Result) -> list[str]:
    return [finding.kind.name for finding in result.findings]


# -- the network ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lookup", "found", "summary"),
    [
        (Lookup("h", ("192.0.2.1",)), [], "h is 192.0.2.1"),
        (Lookup("192.0.2.1", ("192.0.2.1",)), [], "192.0.2.1"),
        (Lookup("h", tuple("abcdef")), [], "h is a, b, c, d and 2 more"),
        (Lookup("h", error="unknown"), ["name-unknown"], "h has no address"),
        (Lookup("h", error="failed"), ["dns-failed"], "h has no address"),
    ],
)
def test_an_address(lookup: Lookup, found: list[str], summary: str) -> None:
    assert (names(judge_address(lookup)), judge_address(lookup).summary) == (found, summary)


@pytest.mark.parametrize(
    ("failures", "found", "summary"),
    [
        ([""], [], "port 80 answers"),
        (["", ""], [], "port 80 answers on 2 of 2 addresses"),
        (["", "timeout"], ["address-dead"], "port 80 answers on 1 of 2 addresses"),
        (["refused", "refused"], ["connection-refused"], "port 80 does not answer"),
        (["refused", "timeout"], ["no-connection"], "port 80 does not answer"),
    ],
)
def test_a_connection(failures: list[str], found: list[str], summary: str) -> None:
    attempts = tuple(msgspec.convert({"address": "::1", "failure": each, "why": "x"}, Attempt) for each in failures)
    result = judge_connection(attempts, 80)
    assert (names(result), result.summary) == (found, summary)
    assert not found or result.findings[0].cause.startswith("[::1]:80: x")


@pytest.mark.parametrize(
    ("certificate", "found", "text"),
    [
        (Certificate(tls_error="no"), "tls-failed", "no"),
        (Certificate(not_after=NOW + 1.5 * DAY), "certificate-ends-soon", "It ends in 1 day."),
        (Certificate(verify_code=10, not_after=NOW - 1.5 * DAY), "certificate-expired", "It ended 1 day ago."),
        (
            Certificate(verify_code=10, not_after=NOW + 1),
            "certificate-expired",
            "A certificate of its chain has ended.",
        ),
        (Certificate(verify_code=9, verify_text="early"), "certificate-not-yet-valid", "early"),
        (Certificate(verify_code=62, names=("a", "b")), "certificate-wrong-name", "It names a, b, and not h."),
        (Certificate(verify_code=64, verify_text="ip"), "certificate-wrong-name", "ip"),
        (Certificate(verify_code=20, verify_text="x", issuer="I"), "certificate-untrusted", "x (issued by I)"),
    ],
)
def test_a_certificate_with_a_fault(certificate: Certificate, found: str, text: str) -> None:
    result = judge_certificate(certificate, "h", NOW)
    assert names(result) == [found]
    assert result.findings[0].cause == text


def test_a_certificate_without_a_fault() -> None:
    assert judge_certificate(Certificate(), "h", NOW).summary == "valid"
    result = judge_certificate(Certificate(not_after=NOW + 60 * DAY, issuer="I"), "h", NOW)
    assert (names(result), result.summary) == ([], "valid for 60 days, issued by I")
    assert names(judge_plain("h", is_loopback=True)) == []
    assert names(judge_plain("h", is_loopback=False)) == ["not-encrypted"]


# -- pages and clocks -------------------------------------------------------------------------------

SCRIPT = Asset("/a.js", is_style=False, status=200, content_type="text/javascript")
STYLE = Asset("/a.css", is_style=True, status=200, content_type="text/css")


@pytest.mark.parametrize(
    ("answer", "assets", "slash", "found"),
    [
        (None, [], False, ["no-http"]),
        (Answer(302, location="/"), [], False, ["redirect-loop"]),
        (Answer(500), [], False, ["refused-by-proxy"]),
        (Answer(503, refusal="full"), [], False, ["refused-by-pixelfleet"]),
        (Answer(401, refusal="who"), [], False, ["sign-in-needed"]),
        (Answer(200), [], False, ["not-a-player-page"]),
        (Answer(200), [STYLE], False, ["not-a-player-page"]),
        (Answer(200), [SCRIPT, STYLE], False, []),
        (Answer(200), [SCRIPT, Asset("/b.js", is_style=False, status=0)], False, ["assets-missing"]),
        (Answer(200), [Asset("/b.js", is_style=False, status=404)], True, ["slash-missing"]),
        (Answer(200), [SCRIPT, Asset("/b.css", is_style=True, status=200)], False, ["assets-wrong-type"]),
        (Answer(200), [Asset(f"/{n}.js", is_style=False, status=404) for n in range(9)], False, ["assets-missing"]),
    ],
)
def test_a_page(answer: Answer | None, assets: list[Asset], slash: bool, found: list[str]) -> None:
    assert names(judge_page(answer, "why", assets, works_with_slash=slash)) == found


def test_the_files_of_a_page() -> None:
    page = (
        b'<script src="a.js"></script><script>1</script><script src></script><link rel="stylesheet" href="b.css">'
        b'<link rel="modulepreload" href="c.js"><link rel="icon" href="d.svg"><link href><script src="a.js"></script>'
        b"<!-- <script src='e.js'></script> --><SCRIPT\nSRC = 'f.js?a&amp;b'></SCRIPT>\xff"
    )
    assert files_of(page) == [("a.js", False), ("b.css", True), ("c.js", False), ("f.js?a&b", False)]
    assert len(files_of(b"".join(b'<script src="%d"></script>' % n for n in range(99)))) == MAX_ASSETS
    assert files_of(b"<script src=" * 1000) == []


@pytest.mark.parametrize(
    "part",
    [b"<![x[", b"<", b"<!--", b"<script ", b"<script src=", b"<script src='", b"<link a=", b"</script ", b"<?x", b"\0"],
)
def test_a_malformed_page_is_read_in_linear_time(part: bytes) -> None:
    """A time that grows with the square of the length is hours for this length."""
    assert files_of(part * (16 * 1024 * 1024 // len(part))) == []


@pytest.mark.parametrize("part", [b"a", b"a=", b"a='", b'a="', b"a ", b" ", b"=", b"-"])
def test_a_malformed_tag_is_read_in_linear_time(part: bytes) -> None:
    assert files_of(b"<script " + part * (1024 * 1024 // len(part)) + b">") == []


DATE = "Fri, 15 Jan 2027 08:00:00 GMT"
AT = 1_800_000_000.0


@pytest.mark.parametrize(
    ("sent", "summary", "found"),
    [
        (AT, "same as here, within a second", []),
        (AT + 0.9, "same as here, within a second", []),
        (AT + 11, "10 s behind this machine's", []),
        (AT + 61, "60 s behind this machine's", ["clock-differs"]),
        (AT - 61, "60 s ahead of this machine's", ["clock-differs"]),
        (AT - 7201, "120 min ahead of this machine's", ["clock-differs"]),
    ],
)
def test_a_clock(sent: float, summary: str, found: list[str]) -> None:
    result = judge_clock(DATE, sent, sent + 1)
    assert (result.summary, names(result)) == (summary, found)


@pytest.mark.parametrize("date", ["", "yesterday", "Fri, 15 Jan 99999 08:00:00 GMT"])
def test_a_date_that_cannot_be_read(date: str) -> None:
    assert not judge_clock(date, AT, AT).done


# -- websockets -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("upgrade", "found"),
    [
        (Upgrade(broken="Invalid challenge response"), ["upgrade-broken"]),
        (Upgrade(why="no"), ["no-http"]),
        (Upgrade(opened=True, first="config"), []),
        (Upgrade(opened=True), ["websocket-silent"]),
        (Upgrade(opened=True, close_code=4105), ["websocket-closed"]),
        (Upgrade(answer=Answer(426)), ["upgrade-eaten"]),
        (Upgrade(answer=Answer(400)), ["upgrade-broken"]),
        (Upgrade(answer=Answer(200)), ["not-a-websocket"]),
        (Upgrade(answer=Answer(302, location="/login")), ["not-a-websocket"]),
        (Upgrade(answer=Answer(401)), ["sign-in-needed"]),
        (Upgrade(answer=Answer(503)), ["refused-by-proxy"]),
        (Upgrade(answer=Answer(503, refusal="full")), ["refused-by-pixelfleet"]),
    ],
)
def test_an_upgrade(upgrade: Upgrade, found: list[str]) -> None:
    assert names(judge_upgrade(upgrade)) == found


@pytest.mark.parametrize(
    ("silence", "found", "summary"),
    [
        (Silence(90, 90, 4), [], "lived 90 s, 4 keepalives"),
        (Silence(5, 5, 0), [], "lived 5 s, 0 keepalives"),
        (Silence(90, 90, 0), ["no-keepalive"], "lived 90 s, 0 keepalives"),
        (Silence(90, 50.2, 0, 1006), ["idle-cut"], "cut after 50 s, 0 keepalives"),
        (Silence(90, 50.2, 1, 1006), ["connection-cut"], "cut after 50 s, 1 keepalive"),
        (Silence(90, 50.2, 1, 4005), ["websocket-closed"], "cut after 50 s, 1 keepalive"),
        (Silence(90, 50.2, 1, 1001), ["connection-cut"], "cut after 50 s, 1 keepalive"),
    ],
)
def test_a_silent_websocket(silence: Silence, found: list[str], summary: str) -> None:
    assert (names(judge_silence(silence)), judge_silence(silence).summary) == (found, summary)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (Answer(503, b'{"error": "no room"}', refusal="full"), "HTTP 503, full: no room"),
        (Answer(502, b"<html>no", server="nginx/1.22.1"), "HTTP 502 from nginx/1.22.1"),
        (Answer(502, b"no upstream\n", server="x" * 99), f"HTTP 502 from {'x' * 40}: no upstream"),
        (Answer(502, b"x" * 500), "HTTP 502"),
    ],
)
def test_the_cause_of_a_refusal(answer: Answer, cause: str) -> None:
    assert refusal_of(answer).cause == cause


# -- fleets -----------------------------------------------------------------------------------------


def totals(**fields: int) -> Answer:
    counts = {"streamers": 0, "available": 0, "aside": 0, "slots": 1, "used": 0, "waiting": 0, **fields}
    apps = [{"app": "car", "oldestWaitSeconds": 0.0, **counts}]
    return Answer(200, msgspec.json.encode({"now": 1.0, "young": False, "apps": apps}))


@pytest.mark.parametrize(
    ("answer", "app", "with_token", "found", "summary"),
    [
        (totals(streamers=2, available=1), "", True, [], "2 ready, 1 free, 0 waiting"),
        (totals(streamers=2, waiting=3), "car", True, ["none-free"], "2 ready, 0 free, 3 waiting"),
        (totals(streamers=2, available=1), "bus", True, ["no-streamer"], "0 ready, 0 free, 0 waiting"),
        (totals(aside=1), "", True, ["no-streamer", "quarantined"], "0 ready, 0 free, 0 waiting"),
        (Answer(401), "", True, ["list-unreadable"], "unknown"),
        (Answer(200, b"{}"), "", True, ["list-unreadable"], "unknown"),
        (None, "", True, ["list-unreadable"], "unknown"),
        (Answer(401), "", False, [], "the list needs --token-file"),
        (Answer(404), "", False, [], "no list: HTTP 404"),
        (None, "", False, [], "no list: no answer"),
    ],
)
def test_a_list(answer: Answer | None, app: str, with_token: bool, found: list[str], summary: str) -> None:
    result = judge_list(answer, app, with_token=with_token)
    assert (names(result), result.summary) == (found, summary)


def test_the_services_of_a_machine() -> None:
    assert service_of("router", Answer(503, b'{"status": "shutting down"}')) == Service("router", 503, "shutting down")
    assert service_of("router", Answer(200, b"<html>")) == service_of("router", None) == Service("router", 0)
    result = judge_machine([Service("a", 200), Service("b", 503, "no"), Service("c", 0)])
    assert (names(result), result.summary) == (["service-not-ready"], "a ready")
    assert not judge_machine([Service("a", 0)]).done


# -- TURN -------------------------------------------------------------------------------------------

UDP, TCP, STUN = Probe("UDP", "t", 1), Probe("TCP", "t", 1), Probe("STUN", "t", 1)


@pytest.mark.parametrize(
    ("results", "found", "summary"),
    [
        ([Probed(UDP, 0.004), Probed(TCP, 0.002)], [], "2 of 2 relay, t:1 TCP in 2 ms"),
        ([Probed(UDP, 0.0), Probed(TCP, 1, "no")], ["turn-partly"], "1 of 2 relay, t:1 UDP in 0 ms"),
        ([Probed(UDP, 1, "no")], ["turn-failed"], "0 of 1 relay"),
        ([Probed(UDP, 1, "no"), Probed(TCP, 1, UNAUTHORIZED)], ["turn-credentials"], "0 of 2 relay"),
        ([Probed(STUN, 0.1)], ["turn-none"], "STUN only"),
        ([Probed(UDP, 1, "no")] * 5, ["turn-failed"], "0 of 5 relay"),
    ],
)
def test_probes_of_turn_servers(results: list[Probed], found: list[str], summary: str) -> None:
    assert (names(judge_probes(results)), judge_probes(results).summary) == (found, summary)


def test_turn_servers_are_probed_before_stun_and_up_to_a_bound() -> None:
    assert chosen([STUN, UDP]) == [UDP, STUN]
    assert len(chosen([UDP] * 100)) == MAX_PROBES


def test_lists_without_probes() -> None:
    assert names(judge_no_answer(None, "no")) == names(judge_no_answer(Answer(503), "")) == ["turn-api-failed"]
    assert names(judge_unusable("no")) == ["ice-unusable"]
    assert names(judge_none(is_loopback=False)) == ["turn-none"]
    assert names(judge_none(is_loopback=True)) == []


# -- the target -------------------------------------------------------------------------------------


def test_the_urls_of_a_page() -> None:
    target = target_of("https://ada:s3cret@play.example/game/?app=car&region=eu#x")
    assert target.shown == "https://play.example/game/"
    assert target.origin == "https://play.example"
    assert (target.host, target.port, target.is_secure, target.app) == ("play.example", 443, True, "car")
    assert target.websocket().path_qs == "/game/ws?app=car&region=eu"
    waits = target.websocket_that_waits()
    assert waits.query["id"].startswith("doctor-")
    assert set(waits.query) == {"app", "id"}
    assert target.beside("api/v1/apps").path_qs == "/game/api/v1/apps"
    assert target.with_slash() is None
    slashed = target_of("http://h/game?app=car").with_slash()
    assert slashed is not None
    assert slashed.url.path_qs == "/game/?app=car"
    assert target_of("http://h/index.html").with_slash() is None


@pytest.mark.parametrize(
    ("url", "is_loopback"),
    [
        ("http://localhost", True),
        ("http://a.localhost", True),
        ("http://127.0.0.2", True),
        ("http://[::1]:1", True),
        ("http://192.0.2.1", False),
        ("http://localhost.example", False),
    ],
)
def test_a_page_on_this_machine(url: str, is_loopback: bool) -> None:
    assert target_of(url).is_loopback is is_loopback
