"""Users that change while a service runs."""

import asyncio
from pathlib import Path

import bcrypt
import pytest

from pixelfleet.auth import reload
from pixelfleet.auth.guard import open_guard
from pixelfleet.auth.htpasswd import User, Users, read_users
from pixelfleet.auth.identity import InvalidCredentialsError
from router.settings import Settings
from tests.parts import eventually


def line(name: str, password: str) -> str:
    return f"{name}:{bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()}\n"


def put(path: Path, text: str | None) -> None:
    """Write a file, or remove it."""
    if text is None:
        path.unlink()
    else:
        path.write_text(text)


def mount(folder: Path, number: int) -> None:
    """Point the link of a mounted Secret to its new folder at once, as the kubelet does."""
    (folder / "..new").symlink_to(f"..{number}")
    (folder / "..new").replace(folder / "..data")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with one user, which the service reads again at once."""
    monkeypatch.setattr(reload.follow, "__defaults__", (0.01,))
    path = tmp_path / "users"
    path.write_text(line("ada", "secret"))
    return path


async def accepts(users: Users, name: str, password: str) -> bool:
    try:
        await users.check(name, password)
    except InvalidCredentialsError:
        return False
    return True


async def test_a_changed_file_changes_the_users_without_a_restart(file: Path) -> None:
    settings = Settings(auth="basic", users_file=file)
    async with open_guard(settings, origins=["*"], redeem=None) as guard:
        users = guard.users
        assert users is not None
        assert await accepts(users, "ada", "secret")
        assert not await accepts(users, "bob", "new")
        put(file, line("ada", "changed") + line("bob", "new"))
        await eventually(lambda: accepts(users, "bob", "new"), "the new user is accepted")
        assert await accepts(users, "ada", "changed")
        assert not await accepts(users, "ada", "secret"), "a password was remembered beyond its change"


@pytest.fixture
def mounted(file: Path, tmp_path: Path) -> Path:
    """A file of a mounted Secret, with a folder for its present and one for its next content."""
    for number, name in enumerate(("ada", "bob")):
        (tmp_path / f"..{number}").mkdir()
        (tmp_path / f"..{number}" / "users").write_text(line(name, "secret"))
    mount(tmp_path, 0)
    (tmp_path / "mounted").symlink_to("..data/users")
    return tmp_path / "mounted"


async def test_a_mounted_secret_is_replaced_through_a_link(mounted: Path) -> None:
    async with open_guard(Settings(auth="basic", users_file=mounted), origins=["*"], redeem=None) as guard:
        users = guard.users
        assert users is not None
        mount(mounted.parent, 1)
        await eventually(lambda: accepts(users, "bob", "secret"), "the new user is accepted")
        assert not await accepts(users, "ada", "secret")


@pytest.mark.parametrize("broken", ["ada:plain\n", None], ids=["invalid", "missing"])
async def test_the_users_stay_while_the_file_is_broken(
    file: Path, broken: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_guard(Settings(auth="basic", users_file=file), origins=["*"], redeem=None) as guard:
        users = guard.users
        assert users is not None
        put(file, broken)
        reads = 0

        def read() -> dict[str, User]:
            nonlocal reads
            reads += 1
            return reload.users_of(Settings(auth="basic", users_file=file))

        following = asyncio.create_task(reload.follow(users, read))
        await eventually(lambda: reads > 2, "the file is read")
        assert await accepts(users, "ada", "secret")
        put(file, line("bob", "new"))
        await eventually(lambda: accepts(users, "bob", "new"), "the users are replaced")
        following.cancel()


async def test_a_check_that_began_before_the_change_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    users = Users(read_users([line("ada", "secret")], "player"), lambda: 0.0)
    hashed = users._hash

    async def slowly(*arguments: str) -> bool:
        valid = await hashed(*arguments)
        users.replace({})
        return valid

    monkeypatch.setattr(users, "_hash", slowly)
    assert not await accepts(users, "ada", "secret")
