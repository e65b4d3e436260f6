"""What is missing or wrong in the settings is said at start, all at once, without a secret."""

import json

import pytest

from services.chassis.settings import load_settings
from services.notifier.mails.mail import Template
from services.notifier.mails.settings import NotifierSettings, Security, ShopProfile, ShopUnknown
from tests.notifier.builders import a_shop, settings_for


def test_all_that_is_missing_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMPTOIR_SHOPS")
    with pytest.raises(SystemExit) as stop:
        load_settings(NotifierSettings)
    for name in ("SHOPS", "DATABASE_URL", "AMQP_URL", "INTERNAL_TOKEN", "HTTP_PORT"):
        assert f"COMPTOIR_{name}" in str(stop.value)


def test_everything_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "DATABASE_URL": "postgresql://x", "AMQP_URL": "amqp://x", "INTERNAL_TOKEN": "x" * 16, "HTTP_PORT": "1",
        "SMTP_HOST": "mail.example", "SMTP_SECURITY": "tls", "SMTP_USERNAME": "u", "SMTP_PASSWORD": "s3cret-s3cret",
        "UNCERTAIN_MAILS": json.dumps({"order_recap": "resend"}),
    }.items():  # fmt: skip
        monkeypatch.setenv(f"COMPTOIR_{name}", value)
    settings = load_settings(NotifierSettings)
    assert settings.profile("atelier-lumiere") == a_shop()
    assert (settings.resends(Template.ORDER_RECAP), settings.resends(Template.NEW_ORDER)) == (True, False)
    assert "s3cret" not in repr(settings)


def test_unknown_shop_says_which_are_known() -> None:
    with pytest.raises(ShopUnknown, match=r"shop elsewhere .* \(known: atelier-lumiere\)"):
        settings_for().profile("elsewhere")


def test_password_never_travels_unprotected() -> None:
    with pytest.raises(ValueError, match="COMPTOIR_SMTP_SECURITY"):
        settings_for(smtp_host="mail.example", smtp_username="u", smtp_password="p")
    settings_for(
        smtp_host="mail.example", smtp_username="u", smtp_password="p", smtp_security=Security.STARTTLS
    )
    settings_for(smtp_username="u", smtp_password="p")


def test_user_without_password_is_refused() -> None:
    with pytest.raises(ValueError, match="or neither"):
        settings_for(smtp_username="u")


def test_shop_named_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="atelier-lumiere is there twice"):
        settings_for(shops=[a_shop(), a_shop()])


@pytest.mark.parametrize("change", [
    {"from_email": "a@b.example\r\nBcc: c@d.example"}, {"name": "a\r\nBcc: c@d.example"}, {"name": ""},
    {"merchant_email": "Atelier <a@b.example>"}, {"time_zone": "Europe/Paname"}, {"fromemail": "a@b.example"},
])  # fmt: skip
def test_shop_that_would_break_its_mails_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        ShopProfile(**{**a_shop().model_dump(), **change})
