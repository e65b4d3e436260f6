"""Messages about the texts of a shop's mails that staff edit, and about the shop's brand and support block."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from contracts.message import Actor, Command, Locale, Message, Part, Shop, Timestamp

TemplateName = Annotated[str, Field(min_length=1, max_length=60, description="The mail: order_recap.")]
Version = Annotated[int, Field(ge=0, description="The version that was changed; another one is refused.")]
WrittenText = Annotated[str, Field(max_length=4000)]
LONGEST_LOGO = 90_000
"""Characters of a logo in base64: 66 kB of picture."""


class TextPart(StrEnum):
    """A part of a mail that staff can edit; everything else in it is fixed."""

    SUBJECT = "subject"
    INTRO = "intro"
    FOOTER = "footer"


class SetTemplate(Command):
    """Replace one part of a mail's text, for one shop and language."""

    wire_name: ClassVar[str] = "template.set.v1"

    shop: Shop
    template: TemplateName
    locale: Locale
    part: TextPart
    text: WrittenText
    based_on_version: Version
    actor: Actor


class ResetTemplate(Command):
    """Give one part of a mail its built-in text back."""

    wire_name: ClassVar[str] = "template.reset.v1"

    shop: Shop
    template: TemplateName
    locale: Locale
    part: TextPart
    based_on_version: Version
    actor: Actor


class TemplateChanged(Message):
    """A part of a mail's text was replaced, or has its built-in text again."""

    wire_name: ClassVar[str] = "template.changed.v1"

    shop: Shop
    template: TemplateName
    locale: Locale
    part: TextPart
    version: int = Field(ge=1, description="Raised by every change; the highest one counts.")
    is_built_in: bool
    changed_by: Actor
    changed_at: Timestamp


class ShopAppearance(Part):
    """A shop's brand and support block. None: as the installation's settings have it; empty: none at all."""

    support_email: str | None = Field(
        default=None, max_length=254, pattern=r"^$|^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+$"
    )
    support_phone: str | None = Field(default=None, max_length=200, pattern=r"^[^\r\n]*$")
    opening_hours: str | None = Field(default=None, max_length=200, pattern=r"^[^\r\n]*$")
    brand_colour: str | None = Field(default=None, pattern=r"^#[0-9a-f]{6}$", description="#0f625b.")
    signature: str | None = Field(default=None, max_length=500, description="Ends the mails; several lines.")


class ChangeShopProfile(Command):
    """Replace a shop's brand and support block; without a new logo the present one stays, or is removed."""

    wire_name: ClassVar[str] = "shop_profile.change.v1"

    shop: Shop
    appearance: ShopAppearance
    logo: str | None = Field(default=None, max_length=LONGEST_LOGO, description="PNG or JPEG in base64.")
    removes_logo: bool = False
    based_on_version: Version
    actor: Actor


class ShopProfileChanged(Message):
    """A shop's brand and support block were changed."""

    wire_name: ClassVar[str] = "shop_profile.changed.v1"

    shop: Shop
    version: int = Field(ge=1, description="Raised by every change; the highest one counts.")
    appearance: ShopAppearance
    has_logo: bool
    changed_by: Actor
    changed_at: Timestamp


class SendTestMail(Command):
    """Send a mail about a made-up order to a staff member, with the texts as they are being written.

    A part that is None has the text in force.
    """

    wire_name: ClassVar[str] = "test_mail.send.v1"

    shop: Shop
    template: TemplateName
    locale: Locale
    subject: WrittenText | None = None
    intro: WrittenText | None = None
    footer: WrittenText | None = None
    recipient: str = Field(max_length=254, pattern=r"^[^\s@]+@[^\s@]+$")
    actor: Actor
