"""When an application counts as stuck."""

import pytest

from signalserver.application.watch import ApplicationWatch

NEVER_CAME = "the application has not connected"
HANGS = "the application does not answer its players"


@pytest.fixture
def watch() -> ApplicationWatch:
    return ApplicationWatch(started=100.0, start_seconds=300.0, stall_seconds=30.0)


def test_an_application_may_take_the_start_time_to_connect(watch: ApplicationWatch) -> None:
    assert watch.look(399.9, 0, 0) is None
    assert watch.look(400.0, 0, 0) == NEVER_CAME
    assert watch.trouble == NEVER_CAME


def test_an_application_that_connects_late_is_healthy(watch: ApplicationWatch) -> None:
    watch.look(500.0, 0, 0)
    assert watch.look(501.0, 1, 0) is None
    assert watch.trouble is None


def test_an_application_that_left_may_take_the_start_time_to_return(watch: ApplicationWatch) -> None:
    watch.look(110.0, 1, 0)
    assert watch.look(1000.0, 0, 0) is None
    assert watch.look(1299.9, 0, 0) is None
    assert watch.look(1300.0, 0, 0) == NEVER_CAME


def test_an_application_that_reconnects_often_is_not_stuck(watch: ApplicationWatch) -> None:
    for minute in range(60):
        assert watch.look(100.0 + 60 * minute, minute % 2, 0) is None


def test_an_application_that_does_not_answer_a_player_is_stuck_until_it_does(watch: ApplicationWatch) -> None:
    assert watch.look(110.0, 1, 29.9) is None
    assert watch.look(111.0, 1, 30.0) == HANGS
    assert watch.look(112.0, 1, 0.0) is None
