"""Labels for the texts of mails: their parts, their languages, and the problems of a text."""

from collections.abc import Mapping
from typing import Any

from services.orders.backoffice.language.translating import gettext, number

LANGUAGE_NAMES = {"fr": "Français", "en": "English"}
"""The languages of mails, each by its own name."""


def part_names() -> dict[str, str]:
    """Return the names of the parts that can be edited."""
    return {"subject": gettext("Subject"), "intro": gettext("Introduction"), "footer": gettext("Footer")}


def problem_words(problem: Mapping[str, Any]) -> str:
    """Return the message for a problem of a text, with its line and the placeholder that was probably meant."""
    line, found, nearest = problem["line"], problem["found"], problem["nearest"]
    code = problem["code"]
    if code == "placeholder_unknown" and nearest:
        return gettext(
            "Line %(line)s: {{ %(found)s }} is unknown. Did you mean {{ %(nearest)s }}?",
            line=line,
            found=found,
            nearest=nearest,
        )
    texts = {
        "placeholder_unknown": gettext(
            "Line %(line)s: {{ %(found)s }} is unknown. Choose one from the list.", line=line, found=found
        ),
        "placeholder_unclosed": gettext(
            "Line %(line)s: “%(found)s” is not closed. Enter {{ name }}.", line=line, found=found
        ),
        "link_unusable": gettext(
            "Line %(line)s: “%(found)s” is not an address. Begin it with https://.", line=line, found=found
        ),
        "subject_lines": gettext("A subject can have only one line."),
        "text_blank": gettext("Enter a subject."),
        "part_too_long": gettext(
            "%(found)s characters; at most %(longest)s.", found=_grouped(found), longest=_grouped(nearest)
        ),
    }
    return texts.get(code) or gettext("This text fails with a sample order. Change it.")


def switch_words() -> dict[str, str]:
    """Return the text on when each optional mail is sent, by its template."""
    return {
        "new_order": gettext("To the shop, for every order, with all its details."),
        "message_received": gettext("To the shop, when a customer writes."),
        "stock_low": gettext("To the shop, when an article falls to its threshold."),
        "payment_unmatched": gettext("To the shop, when money arrives without an order."),
        "refund_mark_overdue": gettext(
            "To the shop, when a refund that was only recorded is not confirmed after seven days."
        ),
        "dispute_due_soon": gettext("To the shop, three days before a dispute’s answer is due."),
        "order_completed": gettext(
            "To the customer, when the order completes automatically: everything delivered and paid."
        ),
        "checkout_abandoned": gettext(
            "To a customer who left a mail address and did not order: once per checkout. Ask for consent first."
        ),
    }


def fixed_words() -> dict[str, str]:
    """Return why a mail has no switch, by the notifier's reason."""
    return {
        "legal": gettext("The law requires that customers get a confirmation of what they ordered."),
        "invoicing": gettext("The legal details decide whether documents are mailed."),
        "ticked": gettext("It is sent only when somebody ticks it."),
        "promised": gettext("It corrects an earlier announcement to the customer."),
        "requested": gettext("The customer asked for it."),
        "written": gettext("Somebody wrote it for the customer."),
        "fault": gettext("It reports an error that only you can correct."),
    }


def _grouped(count: Any) -> str:
    """Return a count that is in the problem as text, as the page writes numbers."""
    return number(int(count)) if str(count).isdecimal() else str(count)
