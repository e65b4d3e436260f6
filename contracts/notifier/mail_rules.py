"""Messages about which of a shop's mails are sent: the switches of those that may be switched off."""

from typing import Annotated, ClassVar

from pydantic import Field

from contracts.message import Actor, Command, Message, Shop, Timestamp
from contracts.notifier.mail_texts import TemplateName, Version

Switches = Annotated[
    dict[TemplateName, bool], Field(max_length=100, description="By mail, whether it is sent: new_order.")
]
AbandonedAfter = Annotated[
    int,
    Field(
        ge=30,
        le=20_160,
        description="Minutes from the end of a checkout that was not completed to its reminder: 180.",
    ),
]


class ChangeMailRules(Command):
    """Switch some mails of a shop on or off; those that are not named stay as they are."""

    wire_name: ClassVar[str] = "mail_rules.change.v1"

    shop: Shop
    switches: Switches
    abandoned_after_minutes: AbandonedAfter
    based_on_version: Version
    actor: Actor


class MailRulesChanged(Message):
    """A shop's mails were switched on or off. Names every mail that may be switched."""

    wire_name: ClassVar[str] = "mail_rules.changed.v1"

    shop: Shop
    version: int = Field(ge=1, description="Raised by every change; the highest one counts.")
    switches: Switches
    abandoned_after_minutes: AbandonedAfter
    changed_by: Actor
    changed_at: Timestamp
