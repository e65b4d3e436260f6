"""Texts for the outcome of a mail: the notifier's note on the last attempt, with the server's reply. Pure.

Notifier writes notes for programs and logs: `content: 250 2.0.0 queued as 4F2`. An unknown note is shown as
is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from services.orders.backoffice.language.actors import who
from services.orders.backoffice.language.translating import N_, gettext

_GIVEN_UP = re.compile(r"given up after (\d+) tries: (.*)", re.DOTALL)
_AGAIN = re.compile(r"sent again by \w+: (.*)", re.DOTALL)
_ANSWER = re.compile(r"(sender|recipient|data|content): (\d{3})(?: (.*))?", re.DOTALL)
ACCEPTED = N_("Handed to the mail server, which accepted it.")
LATER = N_("The mail server deferred it; it is retried.")
REFUSED = {
    "sender": N_("The mail server refused the sender’s address."),
    "recipient": N_("The mail server refused the recipient’s address."),
    "data": N_("The mail server refused the mail."),
    "content": N_("The mail server refused the mail."),
}
"""What the server rejected, by step of the SMTP session."""
UNCLEAR = N_("The mail server sent an unknown reply.")
NOTES = {
    "no answer after the whole letter was sent": N_(
        "The whole mail was sent, and the mail server did not answer."
    ),
    "connection lost before the letter was sent": N_("The connection was lost before the mail was sent."),
    "the letter can't be handed over": N_("The mail could not be handed to the mail server."),
    "the mail could not be written": N_("The mail could not be composed because of an internal error."),
    "the mail server takes no international addresses": N_(
        "The mail server does not accept addresses with accents or other letters."
    ),
    "mail server ": N_("The mail server can’t be reached or rejects our login."),
    "the order was deleted": N_("The order was deleted."),
    "the order was placed": N_("The reminder was not sent: the order was placed in the meantime."),
    "the reminder is too late": N_("The reminder was not sent: too much time has passed."),
    "mail after mail failed": N_("Several mails in a row failed: this one waits until one succeeds."),
    "the process died while it was in flight": N_("The service was stopped while this mail was being sent."),
    "restored from a backup: whether it happened after that is not known here": N_(
        "The data was restored from a backup: this mail may have been sent after it."
    ),
    "the database did not give the mail": N_("The mail could not be read from the database."),
}
"""Sentences by the beginning of the notifier's note."""
BOUNCES = {
    "address": N_("It bounced: the address does not exist or accepts no mail. Correct it in the order."),
    "full": N_("It bounced: the mailbox is full."),
    "too_big": N_("It bounced: the recipient’s server does not accept mail of this size."),
    "reputation": N_(
        "It bounced: the recipient’s server refuses mails from this shop as spam. The address is not "
        "the cause."
    ),
    "other": N_("It bounced: the recipient’s server could not deliver it."),
}
"""Why a mail bounced, by the notifier's kind of bounce."""
HELD = {
    "address": N_("It was not sent: an earlier mail bounced because the address does not exist."),
    "full": N_("It was not sent: several mails bounced because the mailbox is full."),
    "complaint": N_("It was not sent: the recipient reported an earlier mail as spam."),
    "manual": N_("It was not sent: somebody stopped the mails to this address."),
}
"""Why a mail was held, by kind of suppression."""
WITHDRAWN = {
    "placed": NOTES["the order was placed"],
    "late": NOTES["the reminder is too late"],
    "deleted": NOTES["the order was deleted"],
}
"""Why a mail was not sent after all, by notifier's kind."""
SUPPRESSED_ADDRESSES = {
    "address": N_("A mail to it bounced: the address does not exist or accepts no mail."),
    "full": N_("Several mails to it bounced: the mailbox is full or its server is failing."),
    "complaint": N_(
        "The recipient reported a mail as spam: status updates and reminders are not sent to it; "
        "other mails are."
    ),
    "manual": N_("Somebody stopped the mails to it."),
}
SUPPRESSION_NAMES = {
    "address": N_("Address refused"),
    "full": N_("Mailbox full"),
    "complaint": N_("Complaint"),
    "manual": N_("Stopped manually"),
}
_CONFIRMED = re.compile(r"taken as arrived by (.*)", re.DOTALL)


@dataclass(frozen=True)
class Outcome:
    """A sentence for users, and the recorded text verbatim: the server's reply, or an error."""

    sentence: str
    recorded: str
    is_answer: bool = False


def end_of(mail: Mapping[str, Any]) -> Outcome | None:
    """Return the text for a mail's outcome: why it bounced or was held, else the note on its last attempt."""
    if mail["state"] == "bounced":
        sentence = gettext(BOUNCES.get(mail["kind"], BOUNCES["other"]))
        return Outcome(sentence, mail["diagnostic"] or "", is_answer=True)
    if mail["state"] == "suppressed":
        return Outcome(gettext(HELD.get(mail["kind"], HELD["manual"])), "")
    return what_became(mail["detail"])


def what_became(note: str | None) -> Outcome | None:
    """Return the text for the notifier's note; None when there is none."""
    if not note:
        return None
    if given_up := _GIVEN_UP.fullmatch(note):
        return _after(gettext("Given up after %(tries)s attempts.", tries=given_up[1]), given_up[2])
    if again := _AGAIN.fullmatch(note):
        return _after(gettext("It is sent again automatically."), again[1])
    if confirmed := _CONFIRMED.fullmatch(note):
        return Outcome(gettext("Marked as arrived by %(who)s.", who=who(confirmed[1])), "")
    if answer := _ANSWER.fullmatch(note):
        return Outcome(
            _of_answer(answer[1], int(answer[2])), f"{answer[2]} {answer[3] or ''}".strip(), is_answer=True
        )
    return _of_note(note)


def _after(first: str, note: str) -> Outcome:
    last = what_became(note) or Outcome("", "")
    return replace(last, sentence=f"{first} {last.sentence}".strip())


def _of_answer(step: str, code: int) -> str:
    if step == "content" and code // 100 == 2:
        return gettext(ACCEPTED)
    if code // 100 == 4:
        return gettext(LATER)
    return gettext(REFUSED[step] if code // 100 == 5 else UNCLEAR)


def _of_note(note: str) -> Outcome:
    for beginning, sentence in NOTES.items():
        if note.startswith(beginning):
            return Outcome(gettext(sentence), note.removeprefix(beginning).removeprefix(":").strip())
    return Outcome(note, "")
