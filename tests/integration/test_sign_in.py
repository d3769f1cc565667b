"""Signing in at a real issuer through a real router, with the requests that a browser sends."""

from http.cookies import SimpleCookie
from pathlib import Path

import aiohttp
import pytest

from pixelfleet.auth import sign_in
from router.sign_in import flow
from tests.integration.sign_in_stack import browser, router_of, sign_in_stack
from tests.issuer import authorize, running_issuer
from tests.parts import eventually

pytestmark = pytest.mark.integration


async def test_a_browser_signs_in_plays_and_signs_out(page_folder: Path) -> None:
    async with sign_in_stack(page_folder) as stack, browser() as person:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await person.ws_connect(f"{stack.url}/ws")
        assert refused.value.status == 401
        assert await stack.session(person) == {"signedIn": False, "name": ""}

        answer = await stack.sign_in(person, "ada", "/?app=city")
        assert (answer.status, answer.headers["Location"]) == (302, f"{stack.url}/?app=city")
        cookies = SimpleCookie()
        for line in answer.headers.getall("Set-Cookie"):
            cookies.load(line)
        cookie = cookies[sign_in.COOKIE]
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
        assert cookie["max-age"] == "28800"
        assert not cookie["secure"], "the address of the router has no TLS"
        assert cookies[flow.COOKIE]["max-age"] == "0", "the flow is over"
        assert await stack.session(person) == {"signedIn": True, "name": "Person ada"}

        async with person.ws_connect(f"{stack.url}/ws"):
            await eventually(lambda: stack.matchmaker.headers, "the matchmaker got the player")
        proof = stack.matchmaker.headers[0]["Authorization"].removeprefix("Bearer ")
        signed_in = sign_in.verify(proof, sign_in.sign_in_key("k" * 32))
        assert signed_in is not None
        assert (signed_in.subject, signed_in.roles) == ("ada", ("player",))

        async with person.post(f"{stack.url}/sign-in/out") as out:
            location = (await out.json())["location"]
        assert location.startswith(f"{stack.issuer.url}/session/end?client_id=pixelfleet&post_logout_redirect_uri=")
        assert not (await stack.session(person))["signedIn"]
        async with person.get(location) as at_issuer:
            assert at_issuer.status == 200, "the issuer accepts the address after a sign-out"


async def test_the_dashboard_leads_to_the_issuer_and_needs_the_role(page_folder: Path) -> None:
    async with sign_in_stack(page_folder) as stack:
        async with browser() as person:
            async with person.get(f"{stack.url}/dashboard/", allow_redirects=False) as answer:
                assert answer.headers["Location"] == f"{stack.url}/sign-in?return=%2Fdashboard%2F"
            async with person.get(f"{stack.url}/dashboard/usage.html", allow_redirects=False) as answer:
                assert answer.status == 302
                assert answer.headers["Location"] == f"{stack.url}/sign-in?return=%2Fdashboard%2Fusage.html"
            async with person.get(f"{stack.url}/dashboard/history") as answer:
                assert answer.status == 401, "only pages redirect"
            answer = await stack.sign_in(person, "root", "/dashboard/")
            assert answer.headers["Location"] == f"{stack.url}/dashboard/"
            async with person.get(f"{stack.url}/dashboard/") as answer:
                assert answer.status == 200
            async with person.get(f"{stack.url}/dashboard/history") as answer:
                document = await answer.json()
                assert (document["user"], document["signed_in"]) == ("root", True)
        async with browser() as person:
            await stack.sign_in(person, "ada")
            async with person.get(f"{stack.url}/dashboard/") as answer:
                assert answer.status == 403
                assert "Sign in with another account" in await answer.text()
            url = await stack.begin(person, "/dashboard/")
            assert "prompt=login" in url, "the issuer asks for another account"


async def test_an_answer_counts_once_and_for_the_browser_that_began(page_folder: Path) -> None:
    async with sign_in_stack(page_folder) as stack, browser() as person, browser() as attacker:
        target = await authorize(person, await stack.begin(person), "ada")
        async with attacker.get(target, allow_redirects=False) as answer:
            assert answer.status == 400, "a browser without the cookie of the flow"
        await stack.begin(attacker)
        async with attacker.get(target, allow_redirects=False) as answer:
            assert answer.status == 400, "a browser with the cookie of another flow"
        kept = {each.key: each.value for each in person.cookie_jar}
        async with person.get(target, allow_redirects=False) as answer:
            assert answer.status == 302
        async with browser() as again:
            async with again.get(target, cookies=kept, allow_redirects=False) as answer:
                assert answer.status == 502, "the issuer refuses a code that was redeemed"
            assert not (await stack.session(again))["signedIn"]


@pytest.mark.parametrize(
    "back", ["//evil.test/", "https://evil.test/", "/\\evil.test", "/sign-in", "/../x", "/\r\nX: y"]
)
async def test_the_browser_returns_to_this_router_only(page_folder: Path, back: str) -> None:
    async with sign_in_stack(page_folder) as stack, browser() as person:
        answer = await stack.sign_in(person, "ada", back)
        assert answer.headers["Location"] == f"{stack.url}/"


async def test_another_sites_page_signs_nobody_out(page_folder: Path) -> None:
    async with sign_in_stack(page_folder) as stack, browser() as person:
        await stack.sign_in(person, "ada")
        async with person.post(f"{stack.url}/sign-in/out", headers={"Origin": "https://evil.test"}) as answer:
            assert answer.status == 403
        async with person.get(f"{stack.url}/sign-in/out") as answer:
            assert answer.status == 405
        headers = {"Origin": "https://evil.test"}
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await person.ws_connect(f"{stack.url}/ws", headers=headers)
        assert refused.value.status == 403
        assert (await stack.session(person))["signedIn"]


async def test_an_account_without_a_required_claim_is_refused(page_folder: Path) -> None:
    async with sign_in_stack(page_folder, jwt_required={"tenant": "acme"}) as stack, browser() as person:
        answer = await stack.sign_in(person, "eve")
        assert answer.status == 403
        assert "Your account may not be used here" in await answer.text()
        assert not (await stack.session(person))["signedIn"]


async def test_while_the_issuer_is_down_sessions_go_on_and_a_sign_in_explains_itself(page_folder: Path) -> None:
    async with browser() as person, browser() as other:
        async with running_issuer() as issuer, router_of(issuer, page_folder):
            async with person.get(f"{issuer.router}/sign-in", allow_redirects=False) as answer:
                target = await authorize(person, answer.headers["Location"], "ada")
            async with person.get(target, allow_redirects=False) as answer:
                assert answer.status == 302
        # The issuer has ended, and this router never reached it.
        async with router_of(issuer, page_folder) as matchmaker:
            async with other.get(f"{issuer.router}/sign-in", allow_redirects=False) as answer:
                assert answer.status == 503
                assert "The sign-in service cannot be reached" in await answer.text()
            async with person.ws_connect(f"{issuer.router}/ws"):
                await eventually(lambda: matchmaker.headers, "the matchmaker got the player")
            async with person.post(f"{issuer.router}/sign-in/out") as answer:
                assert await answer.json() == {"location": "/"}
