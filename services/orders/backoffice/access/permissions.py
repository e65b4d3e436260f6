"""Named permissions, and the roles that are sets of them.

Every route of the back office names one of these, or declares that it is public or open to any signed-in
user. Only the dispatcher checks it, before the page's code runs. Pure.
"""

from enum import StrEnum


class Permission(StrEnum):
    """A permission that a role may include."""

    ORDERS_VIEW = "orders.view"
    ORDERS_PERSONAL = "orders.personal"
    ORDERS_EDIT = "orders.edit"
    ORDERS_TAG = "orders.tag"
    ORDERS_COMMENT = "orders.comment"
    ORDERS_ARCHIVE = "orders.archive"
    ORDERS_STATUS = "orders.status"
    ORDERS_FORCE = "orders.force"
    ORDERS_CANCEL = "orders.cancel"
    ORDERS_DELETE = "orders.delete"
    ORDERS_DELETE_PAID = "orders.delete_paid"
    ORDERS_EXPORT = "orders.export"
    CUSTOMERS_ERASE = "customers.erase"
    PAYMENTS_VIEW = "payments.view"
    PAYMENTS_RECORD = "payments.record"
    PAYMENTS_REFUND = "payments.refund"
    PAYMENTS_REASSIGN = "payments.reassign"
    PARCELS_PACK = "parcels.pack"
    PARCELS_SHIP = "parcels.ship"
    STOCK_VIEW = "stock.view"
    STOCK_ADJUST = "stock.adjust"
    CONVERSATION_READ = "conversation.read"
    CONVERSATION_WRITE = "conversation.write"
    MAILS_VIEW = "mails.view"
    MAILS_RESEND = "mails.resend"
    OPERATIONS_VIEW = "operations.view"
    OPERATIONS_REDRIVE = "operations.redrive"
    SETTINGS_VIEW = "settings.view"
    SETTINGS_CHANGE = "settings.change"
    PROVIDERS_MANAGE = "providers.manage"
    STAFF_MANAGE = "staff.manage"


class Entry(StrEnum):
    """The requirement of a route that needs no permission: public, or any signed-in user."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"


Demand = Permission | Entry
"""The requirement of a route: a permission or an entry."""


class Role(StrEnum):
    """A staff member's job in the shop."""

    OWNER = "owner"
    MANAGER = "manager"
    FULFILMENT = "fulfilment"
    ACCOUNTANT = "accountant"


_P = Permission
ROLES: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.MANAGER: frozenset(Permission)
    - {
        _P.PROVIDERS_MANAGE,
        _P.STAFF_MANAGE,
        _P.ORDERS_DELETE_PAID,
        _P.CUSTOMERS_ERASE,
    },
    Role.FULFILMENT: frozenset(
        {
            _P.ORDERS_VIEW,
            _P.ORDERS_TAG,
            _P.ORDERS_COMMENT,
            _P.ORDERS_STATUS,
            _P.PARCELS_PACK,
            _P.PARCELS_SHIP,
            _P.STOCK_VIEW,
            _P.STOCK_ADJUST,
            _P.CONVERSATION_READ,
            _P.CONVERSATION_WRITE,
        }
    ),
    Role.ACCOUNTANT: frozenset(
        {
            _P.ORDERS_VIEW,
            _P.ORDERS_EXPORT,
            _P.PAYMENTS_VIEW,
            _P.PAYMENTS_RECORD,
            _P.PAYMENTS_REFUND,
            _P.STOCK_VIEW,
            _P.MAILS_VIEW,
        }
    ),
}
"""What each role may do."""


def may(role: Role | None, demand: Demand) -> bool:
    """Return whether a user with this role (None: nobody is signed in) may use a route that requires
    `demand`.
    """
    if demand is Entry.PUBLIC:
        return True
    if role is None:
        return False
    return demand is Entry.SIGNED_IN or demand in ROLES[role]
