"""The doctor on streamers, offers and TURN servers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

import turnapi.app
import turnapi.settings
from pixelfleet_cli.doctor import app, examination
from tests.coturn import running_coturn
from tests.integration.conftest import Chain, running_chain
from tests.integration.matchmakers import running_matchmaker
from tests.integration.operators import TOKEN
from tests.integration.peers import Peer, player, streamer
from tests.integration.test_doctor_network import EVERY_ADDRESS
from tests.nginx import running_nginx
from tests.parts import eventually, free_port
from tests.unit.pixelfleet_cli.doctor.doctors import Report, examine
from turnapi.credentials import SharedSecret

pytestmark = pytest.mark.integration

VIDEO = (
    "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98\r\na=sendonly\r\na=msid:stream track\r\n"
    "a=rtpmap:96 H264/90000\r\na=rtpmap:97 rtx/90000\r\na=rtpmap:98 VP8/90000\r\n"
)


@pytest.fixture
async def fleet(page_folder: Path) -> AsyncIterator[Chain]:
    """A fleet whose list is open to the holder of TOKEN."""
    async with running_chain(page_folder, matches={"rest_token": SecretStr(TOKEN)}) as running:
        yield running


@pytest.fixture
def token(tmp_path: Path) -> str:
    """The path of a file with the token."""
    file = tmp_path / "rest-token"
    file.write_text(TOKEN)
    return str(file)


@asynccontextmanager
async def offering(chain: Chain, sdp: str) -> AsyncIterator[Peer]:
    """Run a streamer that sends this offer to each player; an empty one is none."""

    async def offer(source: Peer) -> None:
        while True:
            joined = await source.receive("playerConnected")
            if sdp:
                await source.send("offer", sdp=sdp, playerId=joined["playerId"])

    async with streamer(chain.streamer_url, "cam") as source:
        task = asyncio.create_task(offer(source))
        try:
            yield source
        finally:
            task.cancel()


async def is_listed(url: str, token: str, found: Callable[[Report], bool]) -> Report:
    """Return the first report that matches; the store has the state of a fleet after a heartbeat."""

    async def matching() -> Report | None:
        report = await examine(url, "--token-file", token)
        return report if found(report) else None

    report = await eventually(matching, "the list shows the state")
    assert report is not None
    return report


async def test_a_list_without_a_token_is_not_read(fleet: Chain) -> None:
    report = await examine(fleet.page_url)
    assert (report.code, report.summary("streamers")) == (0, "the list needs --token-file")


async def test_a_list_with_a_wrong_token(fleet: Chain, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("w" * 20)
    report = await examine(fleet.page_url, "--token-file", str(wrong))
    assert (report.code, report.names()) == (1, ["list-unreadable"])


async def test_a_fleet_without_a_streamer(fleet: Chain, token: str) -> None:
    report = await examine(fleet.page_url, "--token-file", token)
    assert report.found("streamers") == ["no-streamer"]
    report = await examine(f"{fleet.page_url}/?app=default", "--join")
    assert report.found("offer") == ["no-streamer"]


async def test_a_free_streamer_is_joined_and_left(fleet: Chain, token: str) -> None:
    async with offering(fleet, VIDEO):
        report = await is_listed(fleet.page_url, token, lambda report: "no-streamer" not in report.names())
        assert report.summary("streamers").startswith("1 ready, 1 free, ")
        assert report.summary("offer").startswith("H264, VP8; H264 is played by Chrome")
        assert (report.code, report.summary("turn")) == (0, "no server, and none is needed on this machine")
        async with player(fleet.player_url) as viewer:  # the slot is free again
            await viewer.receive("config")


async def test_a_fleet_whose_streamers_are_taken(fleet: Chain, token: str) -> None:
    async with offering(fleet, VIDEO), player(fleet.player_url) as viewer:
        await viewer.receive("config")
        report = await is_listed(fleet.page_url, token, lambda report: "none-free" in report.names())
        assert (report.code, report.found("streamers")) == (1, ["none-free"])
        report = await examine(fleet.page_url, "--join", "--seconds", "4")
        assert (report.code, report.found("offer")) == (1, ["none-free"])
        assert report.summary("offer") == "waiting at position 1"


async def test_a_streamer_that_cannot_be_dialled(token: str) -> None:
    async with running_matchmaker() as matchmaker:
        await matchmaker.report(free_port())
        async with player(matchmaker.player_url) as viewer:
            await viewer.receive("matchmaker")
            report = await is_listed(matchmaker.rest_url, token, lambda report: "quarantined" in report.names())
    assert "quarantined" in report.found("streamers")


async def test_a_session_that_has_ended(fleet: Chain) -> None:
    report = await examine(f"{fleet.page_url}/?id={'0' * 32}", "--join")
    assert report.found("offer") == ["join-refused"]
    assert report.code == 2


@pytest.mark.parametrize(
    ("sdp", "finding"),
    [
        ("", "no-offer"),
        (VIDEO.partition("m=video")[0], "no-video"),
        (VIDEO.replace("a=sendonly", "a=inactive"), "no-video"),
        (VIDEO.replace("H264", "H265").replace("VP8", "AV1"), "codec-narrow"),
    ],
    ids=["no offer", "no video", "inactive", "H265 and AV1"],
)
async def test_an_offer(fleet: Chain, sdp: str, finding: str) -> None:
    async with offering(fleet, sdp):
        report = await examine(fleet.page_url, "--join", "--seconds", "3")
    assert report.found("offer") == [finding]


async def test_an_offer_whose_video_has_no_stream(page_folder: Path) -> None:
    async with (
        running_chain(page_folder, signals={"name_streams": False}) as chain,
        offering(chain, VIDEO.replace("msid:stream", "msid:-")),
    ):
        report = await examine(chain.page_url, "--join", "--seconds", "3")
    assert report.found("offer") == ["video-without-stream"]


async def test_a_legacy_streamer_waits_for_the_players_offer(page_folder: Path) -> None:
    async with (
        running_chain(page_folder, signals={"dialect": "legacy"}) as chain,
        player(chain.streamer_url),  # streamers of 4.27 announce nothing
    ):

        async def joined() -> Report | None:
            report = await examine(chain.page_url, "--join", "--seconds", "5")
            return report if "no-streamer" not in report.names() else None

        report = await eventually(joined, "the streamer is registered")
    assert report is not None
    assert report.names() == []
    assert report.summary("offer") == "a streamer of 4.27 waits for the player's offer"


# -- TURN -------------------------------------------------------------------------------------------


def ice(*servers: dict[str, Any]) -> str:
    """Return the directives with which nginx answers as a TURN API."""
    body = orjson.dumps({"iceServers": servers}).decode()
    return f"location / {{ default_type application/json; return 200 '{body}'; }}"


async def turn_report(chain: Chain, folder: Path, server: str) -> Report:
    """Return the report with these directives as the TURN API."""
    async with running_nginx(folder, server) as port:
        return await examine(chain.page_url, "--turn-url", f"http://127.0.0.1:{port}/", "--seconds", "3")


async def test_the_turn_servers_of_a_player_work(page_folder: Path, tmp_path: Path) -> None:
    async with running_coturn(tmp_path) as coturn:
        settings = turnapi.settings.Settings(
            host="127.0.0.1", port=0, metrics_port=0, server=[coturn.server], secret=SecretStr(coturn.secret)
        )
        async with (
            turnapi.app.running(settings) as api,
            running_chain(page_folder, signals={"rtc_config_url": f"http://127.0.0.1:{api.port}/"}) as chain,
            offering(chain, VIDEO),
        ):
            report = await examine(chain.page_url, "--join")
            assert report.names() == []
            assert report.summary("turn").startswith("2 of 2 relay, 127.0.0.1:")
            report = await examine(chain.page_url, "--turn-url", f"http://127.0.0.1:{api.port}/?name=doctor")
            assert report.names() == []


async def test_turn_credentials_of_another_secret(chain: Chain, tmp_path: Path) -> None:
    async with running_coturn(tmp_path) as coturn:
        wrong = {"urls": f"turn:{coturn.server}?transport=udp", "username": "9999999999:a", "credential": "wrong"}
        report = await turn_report(chain, tmp_path, ice(wrong))
    assert report.found("turn") == ["turn-credentials"]


async def test_a_turn_server_that_is_down(chain: Chain, tmp_path: Path) -> None:
    dead = {"urls": f"turn:127.0.0.1:{free_port()}?transport=tcp", "username": "a", "credential": "b"}
    report = await turn_report(chain, tmp_path, ice(dead))
    assert (report.code, report.found("turn")) == (2, ["turn-failed"])


async def test_one_of_two_turn_servers_is_down(chain: Chain, tmp_path: Path) -> None:
    async with running_coturn(tmp_path) as coturn:
        made = SharedSecret(SecretStr(coturn.secret)).make("doctor", 2e9, 600)
        urls = [f"turn:{coturn.server}?transport=udp", f"turn:127.0.0.1:{free_port()}?transport=tcp"]
        server = {"urls": urls, "username": made.username, "credential": made.credential}
        report = await turn_report(chain, tmp_path, ice(server))
    assert (report.code, report.found("turn")) == (1, ["turn-partly"])


async def test_a_list_with_stun_only(chain: Chain, tmp_path: Path) -> None:
    async with running_coturn(tmp_path) as coturn:
        report = await turn_report(chain, tmp_path, ice({"urls": f"stun:{coturn.server}"}))
    assert report.found("turn") == ["turn-none"]


async def test_a_list_that_browsers_refuse(chain: Chain, tmp_path: Path) -> None:
    report = await turn_report(chain, tmp_path, ice({"urls": "http://turn.example"}))
    assert report.found("turn") == ["ice-unusable"]


async def test_a_turn_api_that_fails(chain: Chain, tmp_path: Path) -> None:
    report = await turn_report(chain, tmp_path, "location / { return 503; }")
    assert (report.found("turn"), report.cause("turn-api-failed")) == (["turn-api-failed"], "HTTP 503")
    report = await examine(chain.page_url, "--turn-url", f"http://127.0.0.1:{free_port()}/")
    assert report.found("turn") == ["turn-api-failed"]


async def test_players_elsewhere_need_turn(fleet: Chain) -> None:
    async with offering(fleet, VIDEO):
        report = await examine(f"http://{EVERY_ADDRESS}:{fleet.entry.port}/", "--join")
    assert report.found("turn") == ["turn-none"]


# -- this machine -----------------------------------------------------------------------------------


async def test_the_services_of_this_machine(page_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = [f"ws://127.0.0.1:{free_port()}"]
    async with running_chain(page_folder, entry={"matchmaker": dead}) as chain:
        ports = {"router": chain.entry.port, "matchmaker": chain.matches.port, "turn-api": free_port()}
        monkeypatch.setattr(examination, "PORTS", ports)
        monkeypatch.setattr(app, "DEFAULT_URL", chain.page_url)
        await eventually(chain.entry.unready, "the router has excluded its matchmaker")
        report = await examine()
    assert report.found("machine") == ["service-not-ready"]
    assert report.summary("machine") == "matchmaker ready"
    assert report.cause("service-not-ready") == "router: no matchmaker answers"
