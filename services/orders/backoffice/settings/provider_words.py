"""Labels of payment providers' endpoints: the fields of their forms, and the outcome of a test.

The fields are listed here although payments owns them, so that a form can be shown again with the submitted values
while payments does not answer. A test compares both lists.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts.message import Reason
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.reasons import by_field
from services.orders.backoffice.language.translating import N_, gettext
from services.orders.backoffice.web.page_context import PageContext

SECRET = "password_"
"""Prefix of the names of secrets' fields: such fields are never kept, shown again or hashed."""


@dataclass(frozen=True)
class ProviderField:
    """A field of a provider's endpoints. `label` and `help` are marked for translation."""

    name: str
    label: str
    help: str
    is_required: bool = False
    is_secret: bool = False
    rotates: bool = False

    @property
    def field(self) -> str:
        """Return the name in a form."""
        return f"{SECRET}{self.name}" if self.is_secret else self.name


@dataclass(frozen=True)
class ProviderWords:
    """A provider: its own name, where its endpoints are created, and their fields."""

    title: str
    where: str
    fields: tuple[ProviderField, ...]

    @property
    def texts(self) -> list[ProviderField]:
        return [one for one in self.fields if not one.is_secret]

    @property
    def secrets(self) -> list[ProviderField]:
        return [one for one in self.fields if one.is_secret]


PROVIDERS: Mapping[str, ProviderWords] = {
    "stripe": ProviderWords(
        "Stripe",
        N_("Stripe’s dashboard, under Developers, Webhooks"),
        (
            ProviderField(
                "signing_secret",
                N_("Signing secret"),
                N_("It is on the endpoint’s page at Stripe and begins with whsec_."),
                is_required=True,
                is_secret=True,
                rotates=True,
            ),
            ProviderField(
                "api_key",
                N_("API key"),
                N_(
                    "A secret or restricted key (sk_… or rk_…) of the same mode. Without one, refunds can’t be "
                    "sent and the endpoint can’t be tested."
                ),
                is_secret=True,
            ),
            ProviderField("account", N_("Connected account"), N_("Only with Stripe Connect: acct_…")),
        ),
    ),
    "paypal": ProviderWords(
        "PayPal",
        N_("PayPal’s developer dashboard, under Apps & Credentials, on the app’s page"),
        (
            ProviderField(
                "webhook_id",
                N_("Webhook ID"),
                N_("It is shown beside the webhook once that is added to the app."),
                is_required=True,
            ),
            ProviderField("client_id", N_("Client ID"), N_("It is on the app’s page."), is_required=True),
            ProviderField(
                "client_secret",
                N_("Client secret"),
                N_("The app’s secret key, from the same mode."),
                is_required=True,
                is_secret=True,
            ),
            ProviderField(
                "account", N_("Merchant ID"), N_("Payments to another PayPal account are then refused.")
            ),
        ),
    ),
}
KEPT = (
    ("24", N_("For one more day")),
    ("168", N_("For one more week")),
    ("0", N_("No longer")),
)
"""Label by number of hours for which the previous signing secret is still accepted."""


def outcome_words(provider: str, tested: Mapping[str, Any]) -> tuple[str, str]:
    """Return the text for a test's outcome, and the tone of the notice."""
    title = PROVIDERS[provider].title if provider in PROVIDERS else provider
    words = {
        "complete": (
            gettext(
                "%(provider)s responds, accepts the credentials and sends all required events.",
                provider=title,
            ),
            "done",
        ),
        "incomplete": (
            gettext(
                "%(provider)s responds and accepts the credentials, but does not send these events. "
                "Add them there:",
                provider=title,
            ),
            "warning",
        ),
        "not_found": (
            gettext(
                "%(provider)s accepts the credentials, but has no webhook for this URL. Create it there.",
                provider=title,
            ),
            "fault",
        ),
        "credential_missing": (
            gettext(
                "Without an API key, %(provider)s can’t be queried. Set one, then test again.", provider=title
            ),
            "warning",
        ),
        "refused": (
            gettext(
                "%(provider)s refuses the credentials. Set them again, from the same mode. Its response:",
                provider=title,
            ),
            "fault",
        ),
        "unavailable": (
            gettext(
                "%(provider)s returned an unexpected response. Test again in a moment. Response:",
                provider=title,
            ),
            "warning",
        ),
    }
    return words[tested["outcome"]]


MODES = ("test", "live")


def reasons_by_field(body: Mapping[str, Any]) -> dict[str, str]:
    """Return payments' reasons by the fields of the form."""
    reasons = [Reason.model_validate(one) for one in body.get("errors", ())]
    if not reasons:
        return {"": gettext("This value is invalid.")}
    names = {one.name: one.field for words in PROVIDERS.values() for one in words.fields}
    names["livemode"] = "mode"
    return {names.get(name, name): text for name, text in by_field(reasons).items()}


def is_live(form: Form) -> bool:
    mode = form.choice("mode", MODES)
    if mode is None:
        raise Invalid(mode=gettext("Choose an option from the list."))
    return mode == "live"


def entered_texts(form: Form, provider: str) -> dict[str, str]:
    return {one.name: form.text(one.field, 300) or "" for one in PROVIDERS[provider].texts}


def entered_secrets(form: Form, provider: str) -> dict[str, str]:
    """Return the secrets that were typed."""
    typed = {one.name: form.text(one.field, 300) for one in PROVIDERS[provider].secrets}
    return {name: value for name, value in typed.items() if value}


def entered_endpoint(context: PageContext) -> dict[str, Any]:
    """Return the part of an endpoint that its form contains, while payments does not answer."""
    form = context.form_read if context.request.method == "POST" else Form()
    provider = form["provider"]
    texts = {one.name: form[one.field] for one in PROVIDERS[provider].texts} if provider in PROVIDERS else {}
    return {
        "provider": provider,
        "slug": context.path("slug"),
        "source": "back_office" if provider in PROVIDERS else "",
        "livemode": form["mode"] == "live",
        "texts": texts,
        "secrets": [],
        "newest": {},
        "revision": form.revision or 0,
        "fault": "",
    }
