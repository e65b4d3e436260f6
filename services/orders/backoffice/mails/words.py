"""The outcome of a mail in words: notifier's note on the last attempt, with the server's answer. Pure.

Notifier writes notes for programs and logs: `content: 250 2.0.0 queued as 4F2`. An unknown note is shown as
is.
"""

import re
from dataclasses import dataclass, replace

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
"""What the server said no to, by the step of the conversation."""
UNCLEAR = N_("The mail server answered something that nobody understands.")
NOTES = {
    "no answer after the whole letter was sent": N_(
        "The whole mail was sent, and the mail server did not answer."
    ),
    "connection lost before the letter was sent": N_("The connection broke before the mail was sent."),
    "the letter can't be handed over": N_("The mail could not be handed to the mail server."),
    "the mail could not be written": N_("The mail could not be written; the fault is ours."),
    "the mail server takes no international addresses": N_(
        "The mail server takes no address with accents or other letters."
    ),
    "mail server ": N_("The mail server can’t be reached or does not let us in."),
    "the order was deleted": N_("The order was deleted."),
    "mail after mail failed": N_("Mail after mail failed: this one waits until one goes through."),
    "the process died while it was in flight": N_("The service was stopped while this mail was being sent."),
    "the database did not give the mail": N_("The mail could not be read from the database."),
}
"""Sentences by how notifier's note begins."""
_CONFIRMED = re.compile(r"taken as arrived by (.*)", re.DOTALL)


@dataclass(frozen=True)
class Outcome:
    """A sentence for users, and the recorded text verbatim: the server's answer, an error."""

    sentence: str
    said: str
    is_answer: bool = False


def what_became(note: str | None) -> Outcome | None:
    """Return notifier's note in words; None when there is none."""
    if not note:
        return None
    if given_up := _GIVEN_UP.fullmatch(note):
        return _after(gettext("Given up after %(tries)s tries.", tries=given_up[1]), given_up[2])
    if again := _AGAIN.fullmatch(note):
        return _after(gettext("It is sent again by itself."), again[1])
    if confirmed := _CONFIRMED.fullmatch(note):
        return Outcome(gettext("Taken as arrived by %(who)s.", who=who(confirmed[1])), "")
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
