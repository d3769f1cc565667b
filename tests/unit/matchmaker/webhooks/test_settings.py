"""The settings of webhooks."""

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from matchmaker.settings import Settings

SECRET = SecretStr("whsec_" + "k" * 32)


def test_webhooks_are_off_by_default() -> None:
    settings = Settings()
    assert (settings.events, settings.webhooks, settings.admission_webhook, settings.webhook_keys) == (
        False,
        {},
        "",
        (),
    )


def test_webhooks_with_a_secret() -> None:
    settings = Settings(webhooks={"billing": "https://billing.example/x?y=z"}, webhook_secret=SECRET)
    assert len(settings.webhook_keys) == 1


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"webhooks": {"a": "http://host/"}}, "need --webhook-secret"),
        ({"admission_webhook": "http://host/"}, "need --webhook-secret"),
        ({"webhook_secret": SecretStr("short")}, "--webhook-secret: must be whsec_"),
        ({"webhooks": {str(n): "http://host/" for n in range(9)}, "webhook_secret": SECRET}, "at most 8"),
        ({"webhooks": {"A b": "http://host/"}, "webhook_secret": SECRET}, "pattern"),
        *(
            ({"webhooks": {"a": url}, "webhook_secret": SECRET}, "--webhooks: a webhook needs an http or https URL")
            for url in (
                "",
                "host",
                "ftp://host/",
                "http://",
                "http://u:p@host/",
                "http://h:99999/",
                "http://h/#x",
                "http://h/ x",
            )
        ),
        ({"admission_webhook": "file:///etc", "webhook_secret": SECRET}, "--admission-webhook: a webhook needs"),
    ],
)
def test_what_is_not_possible_is_an_error(values: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Settings(**values)
