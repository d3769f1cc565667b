from prometheus_client.exposition import generate_latest

from pixelfleet.runtime.metrics import VERSION, Registries


def test_services_in_one_process_do_not_mix_their_numbers() -> None:
    one, other = Registries("one"), Registries("other")
    one.custom_gauge("players", "Players.").set(1)
    other.custom_gauge("players", "Players.").set(2)
    assert one.all.get_sample_value("players") == one.custom.get_sample_value("players") == 1
    assert other.all.get_sample_value("players") == other.custom.get_sample_value("players") == 2


def test_a_gauge_may_have_labels() -> None:
    registries = Registries("one")
    registries.custom_gauge("players", "Players.", "app").labels("a").set(4)
    assert registries.custom.get_sample_value("players", {"app": "a"}) == 4


def test_the_version_is_shown_among_all_but_not_among_the_few() -> None:
    registries = Registries("one")
    assert registries.all.get_sample_value("pixelfleet_build_info", {"service": "one", "version": VERSION}) == 1
    assert generate_latest(registries.custom) == b""
    assert VERSION
