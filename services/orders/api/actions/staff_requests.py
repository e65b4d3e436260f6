"""What programs may ask this service to do itself: tag, archive, comment, give a status."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from services.orders.order.requests import STRICT, RequestBody
from services.orders.order.shop.colours import Colour
from services.orders.order.shop.naming import LONGEST_NAME
from services.orders.order.unit.actions import MOST_ORDERS
from services.orders.staff.commenting import LONGEST_COMMENT
from services.orders.staff.tagging import MOST_TAGS
from services.orders.staff.updating_status import LONGEST_PUBLIC_COMMENT, StatusUpdate

TagName = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Orders = Annotated[list[UUID], Field(min_length=1, max_length=MOST_ORDERS)]


class TagRequest(RequestBody):
    """A tag by its name; one that the shop does not have yet is made, in this colour."""

    name: TagName
    colour: Colour = Colour.GREY


class TaggingRequest(RequestBody):
    """Tags to put on orders and tags to take off them."""

    orders: Orders
    add: list[TagRequest] = Field(default=[], max_length=MOST_TAGS)
    remove: list[TagName] = Field(default=[], max_length=MOST_TAGS)


class ArchivingRequest(RequestBody):
    """Finished orders to archive, or archived ones to bring back."""

    orders: Orders
    archived: Annotated[bool, STRICT]


class CommentRequest(RequestBody):
    """A comment for the staff; `counters` is the comment it corrects. Its text is never shown by this API."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_COMMENT)]
    counters: UUID | None = None


class StatusRequest(RequestBody):
    """A status for an order. Where the order's facts speak against it, send `force` with a `reason`."""

    label: Annotated[str, Field(min_length=1, max_length=60)] = Field(description="A key of /v1/statuses.")
    notify_customer: Annotated[bool, STRICT] = False
    public_comment: Annotated[str, Field(max_length=LONGEST_PUBLIC_COMMENT)] | None = None
    admin_comment: Annotated[str, Field(max_length=LONGEST_COMMENT)] | None = None
    force: Annotated[bool, STRICT] = False
    reason: Annotated[str, Field(max_length=2000)] | None = None
    revision: Annotated[int, Field(strict=True, ge=1)] | None = Field(
        default=None, description="The order's revision this was decided on; refused if it has changed since."
    )

    def update(self) -> StatusUpdate:
        """What the status update is."""
        return StatusUpdate(**self.model_dump(exclude={"revision"}))


class MailRequest(RequestBody):
    """Nothing but the mail's id, which stands in the path."""
