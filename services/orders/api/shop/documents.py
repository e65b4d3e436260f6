"""Documents of an article's stock and of the switches of mails, made of what their owners answer."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from contracts.message import Count, Sku


class LevelResponse(BaseModel):
    """Units of an article at one location; `available` is what orders have not reserved."""

    location: str
    on_hand: int
    reserved: int
    available: int


class ArticleResponse(BaseModel):
    """The stock of one article; without levels it was never counted."""

    sku: Sku
    available: int = Field(description="Units that orders have not reserved, at all locations together.")
    threshold: Count | None = Field(
        description="The shop is warned at this number or fewer; null: it is not warned."
    )
    is_low: bool = Field(
        description="As the stock page shows it: at the threshold, or a default without one."
    )
    levels: list[LevelResponse]


class ArticlesResponse(BaseModel):
    """The requested articles, in the order of the request."""

    articles: list[ArticleResponse]


class SwitchResponse(BaseModel):
    """A mail that can be switched off."""

    mail: str = Field(description="Its name in switches: checkout_abandoned.")
    is_on: bool
    recipient: Literal["merchant", "customer"]
    names: dict[str, str] = Field(description="Its name for people, by language.")


class FixedMailResponse(BaseModel):
    """A mail without a switch, and why it has none."""

    mail: str
    why: str = Field(description="A code: legal, invoicing, ticked, promised, requested, written or fault.")
    explanation: str = Field(description="The same as a sentence.")
    recipient: Literal["merchant", "customer"]
    names: dict[str, str]


class MailRulesResponse(BaseModel):
    """Which of the shop's mails are sent."""

    version: int = Field(description="Sent back with a change; 0 before the first one.")
    switches: list[SwitchResponse]
    fixed: list[FixedMailResponse]
    abandoned_after_minutes: int
    changed_by: str | None
    changed_at: datetime | None


def articles_of(skus: Sequence[str], stock: Mapping[str, Any]) -> ArticlesResponse:
    """Return these articles as fulfillment reports them, each once."""
    return ArticlesResponse(articles=[_article(sku, stock) for sku in dict.fromkeys(skus)])


def _article(sku: str, stock: Mapping[str, Any]) -> ArticleResponse:
    levels = [LevelResponse.model_validate(level) for level in stock["levels"] if level["sku"] == sku]
    return ArticleResponse(
        sku=sku,
        available=sum(level.available for level in levels),
        threshold=stock["thresholds"].get(sku),
        is_low=sku in stock["low"],
        levels=levels,
    )


def mail_rules_of(rules: Mapping[str, Any]) -> MailRulesResponse:
    """Return a shop's rules as the notifier reports them."""
    lists = {name: [{**one, **_about(one)} for one in rules[name]] for name in ("switches", "fixed")}
    return MailRulesResponse.model_validate({**rules, **lists})


def _about(mail: Mapping[str, Any]) -> dict[str, str]:
    recipient = "merchant" if mail["is_to_merchant"] else "customer"
    about = {"mail": mail["template"], "recipient": recipient}
    return {**about, "explanation": mail.get("explanation", mail["why"])} if "why" in mail else about
