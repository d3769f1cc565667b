"""The samples of the last hour."""

import msgspec

from matchmaker.http import schemas
from router.history import HOUR_SECONDS, STEP_SECONDS, AppNumbers, History, LastHour, Sample, Totals


def totals(now: float, *, warming_up: bool = False) -> Totals:
    apps = (
        AppNumbers(app="a", available=2, used=3, waiting=1, oldest_wait_seconds=4.26),
        AppNumbers(app="b", available=1, used=1, waiting=0),
    )
    return Totals(now=now, warming_up=warming_up, apps=apps)


def test_a_sample_has_sums_over_apps_and_the_longest_wait() -> None:
    history = History()
    history.add(totals(100.04))
    assert history.view("ada") == LastHour(step=STEP_SECONDS, samples=[Sample(100.0, 4, 3, 1, 4.3)], user="ada")


def test_the_matchmakers_real_totals_are_parsed() -> None:
    sent = schemas.App(
        app="a", streamers=9, available=2, aside=0, slots=8.0, used=3, waiting=1, oldest_wait_seconds=4.26
    )
    body = msgspec.json.encode(schemas.Totals(now=100.0, young=True, apps=[sent]))
    app = AppNumbers(app="a", available=2, used=3, waiting=1, oldest_wait_seconds=4.26)
    assert msgspec.json.decode(body, type=Totals) == Totals(now=100.0, warming_up=True, apps=(app,))


def test_no_sample_is_added_while_warming_up_or_twice() -> None:
    history = History()
    history.add(totals(100.0, warming_up=True))
    history.add(totals(101.0))
    history.add(totals(101.0))
    history.add(totals(90.0))
    assert [sample.at for sample in history.view("").samples] == [101.0]


def test_samples_older_than_an_hour_are_removed() -> None:
    history = History()
    for step in range(1000):
        history.add(totals(step * STEP_SECONDS))
    samples = history.view("").samples
    assert len(samples) == HOUR_SECONDS / STEP_SECONDS
    history.add(totals(1000 * STEP_SECONDS + HOUR_SECONDS - 15))
    assert len(history.view("").samples) == 2
