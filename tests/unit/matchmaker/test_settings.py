"""Settings of the matchmaker that are computed from others."""

from matchmaker.settings import Settings


def test_each_application_of_the_settings_has_a_policy() -> None:
    settings = Settings(app="main", policy="pack", apps=["a", "b"], warm={"c": 1}, policies={"b": "oldest"})
    assert settings.app_policies == {"main": "pack", "a": "spread", "b": "oldest", "c": "spread"}
