"""Conversations of a run: one customer answers by mail, the automatic reply of another changes nothing.

The owner writes in the back office; both customers read the mail that the mail server took, and send theirs to the
address that it names. How the threads must end follows from the script, and is compared with what the notifier shows.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httpx2

from deploy.demo.mail.answering import MailRefused, answer_to, automatic_reply_to, deliver
from deploy.demo.mail.mailbox import Mailbox, MailMissing
from deploy.demo.sales.sale import Sale
from deploy.demo.sales.unknown_addresses import is_unknown
from deploy.demo.staff import Staff, signed_in, submit
from deploy.local.system import System

SECONDS = 30.0
POLL_SECONDS = 0.1
MAILS = 4
"""Of both conversations: three messages of the staff to customers, one of a customer to the merchant."""
STAFF, CUSTOMER, AUTOMATIC = "staff", "customer", "automatic"


class Texts(NamedTuple):
    """What is written in one language."""

    question: str
    answer: str
    thanks: str
    notice: str
    absence: str


TEXTS = {
    "fr": Texts(
        question="Quel prénom faut-il inscrire sur la carte ?",
        answer="Bonjour,\n\n« Zoé », s’il vous plaît, avec l’accent.",
        thanks="C’est noté, merci, et bonne journée !",
        notice="Toute l’équipe vous remercie, à bientôt !",
        absence="Je suis absent jusqu’à lundi et vous répondrai à mon retour.",
    ),
    "en": Texts(
        question="Which name shall we write on the card?",
        answer="Hello,\n\n“Zoé”, please, with the accent.",
        thanks="Noted, thank you, and have a good day!",
        notice="All of us say thank you; see you soon!",
        absence="I am out of office until Monday and will answer then.",
    ),
}


class ShownMessage(NamedTuple):
    """A message as a thread shows it; `text` is what is not folded."""

    author: str
    text: str


class ThreadEnd(NamedTuple):
    """A thread: its messages, whose turn it is, and how many messages nobody has read."""

    messages: tuple[ShownMessage, ...]
    state: str
    unread: int


@dataclass(frozen=True)
class Conversations:
    """The threads of a run as they ended, received mails by outcome, and what went wrong on the way."""

    ends: Sequence[ThreadEnd] = ()
    received: Counter[str] = field(default_factory=Counter)
    wrong: Sequence[str] = ()

    @property
    def messages(self) -> Counter[str]:
        """Return how many messages were posted, by author; automatic ones apart."""
        return Counter(message.author for end in self.ends for message in end.messages)

    @property
    def states(self) -> Counter[str]:
        """Return how many threads are in each state."""
        return Counter(end.state for end in self.ends)

    def report(self) -> dict[str, Any]:
        """Return what `report.json` holds."""
        return {
            "threads": dict(self.states),
            "messages": dict(self.messages),
            "received": dict(self.received),
        }


def talkers(sales: Sequence[Sale]) -> list[Sale]:
    """Return the placed sales whose customers answer: by hand, and by an automatic reply. None with too few sales."""
    fitting = [sale for sale in sales if sale.is_placed and not is_unknown(sale)]
    return fitting[:2] if len(fitting) >= 2 else []


def mails_of_conversations(sales: Sequence[Sale]) -> int:
    """Return how many mails the conversations add."""
    return MAILS if talkers(sales) else 0


def expected_ends(sales: Sequence[Sale]) -> list[ThreadEnd]:
    """Return how the threads of the talkers must end."""
    found = talkers(sales)
    if not found:
        return []
    texts, other = map(_texts, found)
    answered = (
        ShownMessage(STAFF, texts.question),
        ShownMessage(CUSTOMER, texts.answer),
        ShownMessage(STAFF, texts.thanks),
    )
    left = (ShownMessage(STAFF, other.notice), ShownMessage(AUTOMATIC, ""))
    return [ThreadEnd(answered, "waiting_customer", 0), ThreadEnd(left, "closed", 0)]


def wrong_conversations(found: Conversations, sales: Sequence[Sale]) -> list[str]:
    """Return what differs from how the conversations should have gone."""
    wrong, expected = list(found.wrong), expected_ends(sales)
    if list(found.ends) != expected:
        wrong.append(f"conversations should end as {expected}, ended as {list(found.ends)}")
    received = Counter({"posted": 1, "automatic": 1}) if expected else Counter()
    if found.received != received:
        wrong.append(f"received mails should be {dict(received)}, are {dict(found.received)}")
    return wrong


async def converse(system: System, shop: str, sales: Sequence[Sale], staff: Staff) -> Conversations:
    """Let the conversations happen, and return how they ended."""
    found = talkers(sales)
    if not found:
        return Conversations()
    async with (
        signed_in(system, staff) as backoffice,
        httpx2.AsyncClient(
            base_url=system.url("notifier"), headers=system.operator, timeout=15, trust_env=False
        ) as notifier,
    ):
        answering, absent = (_OrderConversation(system, shop, sale, backoffice, notifier) for sale in found)
        wrong = await asyncio.gather(
            _without_raising(answering.answered), _without_raising(absent.left_alone)
        )
        ends = [await thread.end() for thread in (answering, absent)]
        page = (await notifier.get("/internal/inbound", params={"shop": shop})).raise_for_status().json()
    return Conversations(ends, +Counter(page["counts"]), [one for one in wrong if one])


class _OrderConversation:
    """The conversation about one order, and the mailbox of its customer."""

    def __init__(
        self,
        system: System,
        shop: str,
        sale: Sale,
        backoffice: httpx2.AsyncClient,
        notifier: httpx2.AsyncClient,
    ) -> None:
        self._inbound_port, self._backoffice, self._notifier = system.inbound_port, backoffice, notifier
        self._sale, self._texts = sale, _texts(sale)
        self._form, self._shown = f"/orders/{sale.event_id}/conversation", f"{shop}/{sale.event_id}"
        self._mailbox = Mailbox(system, sale.recipient)

    async def answered(self) -> None:
        """Ask the customer, who answers, and answer again."""
        await submit(self._backoffice, self._form, {"text": self._texts.question})
        mail = await self._mailbox.wait_for(self._texts.question)
        answer = answer_to(mail, self._sale.recipient, self._texts.answer)
        await deliver(self._inbound_port, self._sale.recipient, answer)
        await self._until("has the answer", lambda end: len(end.messages) == 2)
        await submit(self._backoffice, self._form, {"text": self._texts.thanks})
        await self._mailbox.wait_for(self._texts.thanks)

    async def left_alone(self) -> None:
        """Write to the customer and close the thread; an automatic reply comes, from nobody (RFC 3834)."""
        await submit(self._backoffice, self._form, {"text": self._texts.notice})
        mail = await self._mailbox.wait_for(self._texts.notice)
        await submit(self._backoffice, f"{self._form}/close", {})
        await self._until("is closed", lambda end: end.state == "closed")
        await deliver(
            self._inbound_port, "", automatic_reply_to(mail, self._sale.recipient, self._texts.absence)
        )
        await self._until("has the automatic reply", lambda end: len(end.messages) == 2)

    async def end(self) -> ThreadEnd:
        """Return the thread as the notifier shows it."""
        answer = await self._notifier.get(f"/internal/threads/{self._shown}")
        return _end(answer.raise_for_status().json())

    async def _until(self, what: str, fits: Callable[[ThreadEnd], bool]) -> None:
        deadline = asyncio.get_running_loop().time() + SECONDS
        while not fits(await self.end()):
            if asyncio.get_running_loop().time() > deadline:
                raise MailMissing(f"no thread of order {self._sale.event_id} {what} within {SECONDS:.0f} s")
            await asyncio.sleep(POLL_SECONDS)


async def _without_raising(play: Callable[[], Coroutine[Any, Any, None]]) -> str | None:
    """Return what went wrong, so that the other conversation goes on."""
    try:
        await play()
    except (MailMissing, MailRefused, OSError, RuntimeError, httpx2.HTTPError) as error:
        return f"a conversation stopped: {type(error).__name__}: {error}"
    return None


def _texts(sale: Sale) -> Texts:
    return TEXTS["fr" if sale.submission.locale.startswith("fr") else "en"]


def _end(thread: Mapping[str, Any]) -> ThreadEnd:
    summary = thread["summary"] or {"state": "none", "unread": 0}
    return ThreadEnd(tuple(map(_shown_message, thread["messages"])), summary["state"], summary["unread"])


def _shown_message(message: Mapping[str, Any]) -> ShownMessage:
    shown = "".join(segment["text"] for segment in message["segments"] if segment["kind"] == "shown")
    return ShownMessage(AUTOMATIC if message["is_automatic"] else message["author_role"], shown.strip())
