"""What is missing or wrong in the settings is said at start, all at once, without a secret."""

import json

import pytest

from services.chassis.settings import load_settings
from services.notifier.mails.mail import Template
from services.notifier.mails.settings import NotifierSettings, Security, ShopProfile, ShopUnknown
from tests.notifier.builders import a_shop, settings_for


def test_everything_missing_is_reported_together(monkeypatch: pytest.MonkeyPatch) -> None:
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


@pytest.mark.parametrize(
    ("shops", "expected"),
    [
        ("[{", "COMPTOIR_SHOPS must be a JSON list"),
        ('["maison"]', "COMPTOIR_SHOPS[0] must be a JSON object"),
        ('[{"shop": "maison"}]', "COMPTOIR_SHOPS[0].name is missing  (The merchant as customers know them.)"),
        ('[{"nme": "x"}]', "COMPTOIR_SHOPS[0].nme is unknown; did you mean name?"),
        ('[{"zzz": "x"}]', "COMPTOIR_SHOPS[0].zzz is unknown; known are backoffice_url, bic, "),
        ('[{"na\\nme!": "x"}]', 'COMPTOIR_SHOPS[0]."na\\nme!" is unknown'),
        (
            '[{"shop": "Maison"}]',
            "COMPTOIR_SHOPS[0].shop must be the shop's name of 1 to 63 lower-case letters",
        ),
        ('[{"name": 7}]', "COMPTOIR_SHOPS[0].name must be a text"),
        ('[{"name": ""}]', "COMPTOIR_SHOPS[0].name is empty"),
        (
            json.dumps([{"signature": "x" * 501}]),
            "COMPTOIR_SHOPS[0].signature is too long: at most 500 characters",
        ),
        ('[{"brand_colour": "red"}]', "COMPTOIR_SHOPS[0].brand_colour must be a colour of # and six digits"),
        ('[{"time_zone": "Paris"}]', "COMPTOIR_SHOPS[0].time_zone: Paris is not an IANA time zone"),
        ('[{"bic": "a\\nb"}]', "COMPTOIR_SHOPS[0].bic must be one line"),
    ],
)
def test_a_fault_in_a_shop_names_the_entry_and_the_field(
    shops: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPTOIR_SHOPS", shops)
    with pytest.raises(SystemExit) as stop:
        load_settings(NotifierSettings)
    assert f"  {expected}" in str(stop.value)


def test_a_fault_in_a_simple_setting_is_a_plain_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "HTTP_PORT": "70000", "POOL_SIZE": "many", "RETRY_SECONDS": "0", "LOG_LEVEL": "LOUD",
        "INTERNAL_TOKEN": "0123456789", "SMTP_SECURITY": "ssl", "PAGE_URL": "shop.example",
        "INBOUND_DOMAIN": "-", "UNCERTAIN_MAILS": '{"nosuch": "hold", "new_order": "never"}',
    }.items():  # fmt: skip
        monkeypatch.setenv(f"COMPTOIR_{name}", value)
    with pytest.raises(SystemExit) as stop:
        load_settings(NotifierSettings)
    for event in (
        "COMPTOIR_HTTP_PORT is 70000, the maximum is 65535: correct it  (Port to listen on.)",
        "COMPTOIR_POOL_SIZE must be a whole number, such as 3  (",
        "COMPTOIR_RETRY_SECONDS is 0, it must be more than 0",
        "COMPTOIR_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR",
        "COMPTOIR_INTERNAL_TOKEN is too short: at least 16 characters are needed",
        "COMPTOIR_SMTP_SECURITY must be one of 'none', 'starttls' or 'tls'",
        "COMPTOIR_PAGE_URL must be an address such as https://host:port",
        "COMPTOIR_INBOUND_DOMAIN must be a domain",
        "COMPTOIR_UNCERTAIN_MAILS: the key nosuch must be one of 'new_order'",
        "COMPTOIR_UNCERTAIN_MAILS.new_order must be one of 'hold' or 'resend'",
    ):
        assert f"  {event}" in str(stop.value)
    assert "0123456789" not in str(stop.value)


def test_unknown_shop_names_which_are_known() -> None:
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
    with pytest.raises(ValueError, match="atelier-lumiere is listed twice"):
        settings_for(shops=[a_shop(), a_shop()])


def test_shop_may_have_an_address_with_accents_or_quotes() -> None:
    shop = a_shop(from_email="café@bücher.example", support_email="le..bureau@atelier.example")
    assert shop.from_email == "café@xn--bcher-kva.example"
    assert shop.support_email == '"le..bureau"@atelier.example'


@pytest.mark.parametrize("change", [
    {"from_email": "a@b.example\r\nBcc: c@d.example"}, {"name": "a\r\nBcc: c@d.example"}, {"name": ""},
    {"merchant_email": "Atelier <a@b.example>"}, {"time_zone": "Europe/Paname"}, {"fromemail": "a@b.example"},
])  # fmt: skip
def test_shop_that_would_break_its_mails_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        ShopProfile(**{**a_shop().model_dump(), **change})
