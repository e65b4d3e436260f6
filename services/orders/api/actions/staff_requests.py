"""Request bodies for the actions of orders itself: tag, archive, comment, update the status."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from services.chassis.texts import Seen
from services.orders.order.requests import STRICT, RequestBody
from services.orders.order.shop.colours import Colour
from services.orders.order.shop.names import LONGEST_NAME
from services.orders.order.unit.actions import MOST_ORDERS
from services.orders.staff.commenting import LONGEST_COMMENT
from services.orders.staff.status_update import LONGEST_PUBLIC_COMMENT, StatusUpdate
from services.orders.staff.tagging import MOST_TAGS

TagName = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Orders = Annotated[list[UUID], Field(min_length=1, max_length=MOST_ORDERS)]


class TagRequest(RequestBody):
    """A tag by its name; a tag that the shop does not have yet is created, in this colour."""

    name: TagName
    colour: Colour = Colour.GREY


class TaggingRequest(RequestBody):
    """Tags to add to orders and tags to remove from them."""

    orders: Orders
    add: list[TagRequest] = Field(default=[], max_length=MOST_TAGS)
    remove: list[TagName] = Field(default=[], max_length=MOST_TAGS)


class ArchivingRequest(RequestBody):
    """Finished orders to archive, or archived ones to restore to the list."""

    orders: Orders
    archived: Annotated[bool, STRICT]


class CommentRequest(RequestBody):
    """A comment for the staff; `counters` is the comment it corrects. Its text is never shown by this API."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_COMMENT), Seen]
    counters: UUID | None = None


class StatusRequest(RequestBody):
    """A status for an order. If the order's facts contradict it, send `force` with a `reason`."""

    label: Annotated[str, Field(min_length=1, max_length=60)] = Field(description="A key of /v1/statuses.")
    notify_customer: Annotated[bool, STRICT] = False
    public_comment: Annotated[str, Field(max_length=LONGEST_PUBLIC_COMMENT)] | None = None
    admin_comment: Annotated[str, Field(max_length=LONGEST_COMMENT)] | None = None
    force: Annotated[bool, STRICT] = False
    reason: Annotated[str, Field(max_length=2000)] | None = None
    revision: Annotated[int, Field(strict=True, ge=1)] | None = Field(
        default=None,
        description="The order's revision that this is based on; refused if it has changed since.",
    )

    def update(self) -> StatusUpdate:
        """Return the status update."""
        return StatusUpdate(**self.model_dump(exclude={"revision"}))


class MailRequest(RequestBody):
    """Empty body: the path names the mail."""
