"""What customers do on their page: messages and requests to cancel, once each, within limits, whatever is down."""

import re
from uuid import UUID, uuid4

import pytest

from contracts.notifier.conversation import MessagePosted
from contracts.notifier.page import CancellationRequested
from contracts.orders.lifecycle import OrderPlaced
from services.orders.staff.declining import decline
from tests.notifier.builders import SHOP
from tests.notifier.page.customer import House
from tests.orders.api.test_customer_orders import packed
from tests.orders.changing_orders import Merchant

pytestmark = pytest.mark.rows("C16", "B17")
HOSTILE = "<script>alert(1)</script>\nDeuxième ligne « été »"


async def messages(house: House) -> list[tuple[str, str, str]]:
    rows = await house.notifier.fetch("SELECT author_role, via, segments->0->>'text' AS text FROM message")
    return [tuple(row) for row in rows]


async def test_a_message_is_posted_once_and_shown_as_typed(house: House) -> None:
    await house.place()
    path = await house.link()
    form = {**(await house.get(path)).forms[f"{path}/message"], "text": HOSTILE}
    for _ in range(2):
        sent = await house.post(f"{path}/message?lang=fr", form)
        assert sent.status == 303
    assert await messages(house) == [("customer", "page", HOSTILE)]
    page = await house.get(sent.response.headers["location"])
    assert "Votre message est envoyé." in page.text
    for guess in ("said=message", f"message={uuid4()}", "message=x"):
        assert "est envoyé" not in (await house.get(f"{path}?lang=fr&{guess}")).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    assert "<script" not in page.text
    events = [message for _, message in house.notifier.emitted() if isinstance(message, MessagePosted)]
    assert {(event.author_role, event.via) for event in events} == {("customer", "page")}
    mails = await house.mails()
    assert sum("commandes@atelier.example" in mail and "Deuxième ligne" in mail for mail in mails) == 1


async def test_another_text_in_a_form_that_was_sent_is_kept_and_not_taken_for_sent(house: House) -> None:
    await house.place()
    path, key = await house.link(), str(uuid4())
    texts = ("Bonjour", "Bonjour", "Bonjour, et livrez au 5 rue Neuve")
    answers = [await house.post(f"{path}/message", {"key": key, "text": text}) for text in texts]
    assert [answer.status for answer in answers] == [303, 303, 422]
    assert texts[2] in answers[2].text
    assert "Celui-ci ne l’a pas été" in answers[2].text
    assert len(await messages(house)) == 1
    assert key not in answers[2].text, "the form has a new key"


async def test_five_messages_an_hour_and_the_sixth_keeps_its_text(house: House) -> None:
    await house.place()
    path = await house.link()
    answers = [
        await house.post(f"{path}/message", {"key": str(uuid4()), "text": f"Message {number}"})
        for number in range(6)
    ]
    assert [answer.status for answer in answers] == [303] * 5 + [429]
    assert "Message 5" in answers[5].text
    assert len(await messages(house)) == 5


async def test_only_what_was_sent_for_this_order_is_reported_to_be_sent(house: House) -> None:
    await house.place(customer={"name": "Paul Roux", "email": "paul@example.org"})
    other = await house.link("paul@example.org")
    await house.place()
    path = await house.link()
    form = (await house.get(f"{other}/cancel")).forms[f"{other}/cancel"]
    shown = (await house.post(f"{other}/cancel?lang=fr", form)).response.headers["location"]
    wrote = (
        await house.post(f"{other}/message?lang=fr", {"key": str(uuid4()), "text": "Oui"})
    ).response.headers
    queries = [address.partition("?")[2].partition("#")[0] for address in (shown, wrote["location"])]
    for query in (*queries, "said=cancel", "said=message", f"request={uuid4()}", "request=%00", "message="):
        page = await house.get(f"{path}?{query}")
        assert page.status == 200
        assert "est envoyé" not in page.text, query
        assert any(link.startswith(f"{path}/cancel?") for link in page.links), query


async def test_a_form_without_a_key_has_expired_and_its_text_is_kept(house: House) -> None:
    await house.place()
    path = await house.link()
    for form, event in (({}, "The form has expired"), ({"key": "x"}, "The form has expired")):
        answer = await house.post(f"{path}/message?lang=en", {**form, "text": "Still there?"})
        assert (answer.status, event in answer.text, "Write your message first" in answer.text) == (
            422,
            True,
            False,
        )
        assert "Still there?</textarea>" in answer.text
    long = await house.post(f"{path}/message?lang=en", {"text": "x" * 60_000})
    assert "The message has 60,000 characters; at most 10,000" in long.text


async def test_a_long_reason_for_cancelling_is_refused_and_kept(house: House) -> None:
    await house.place()
    path = await house.link()
    form = (await house.get(f"{path}/cancel")).forms[f"{path}/cancel"]
    text = "Ligne\r\n" * 400  # a line break is one character, as a browser counts
    long = await house.post(f"{path}/cancel?lang=fr", {**form, "comment": f"{text}{'x' * 2000}fin"})
    assert long.status == 422
    assert "Votre explication compte 4\u202f403 caractères ; 2 000 au plus" in long.text
    assert "xfin</textarea>" in long.text
    assert not [m for _, m in house.notifier.emitted() if isinstance(m, CancellationRequested)]
    assert (await house.post(f"{path}/cancel", {**form, "comment": "x" * 2000})).status == 303


@pytest.mark.parametrize(
    ("text", "status"), [("", 422), ("\u200b \ufeff", 422), ("x" * 10_000, 303), ("x" * 10_001, 422)]
)
async def test_a_message_has_up_to_ten_thousand_characters(house: House, text: str, status: int) -> None:
    await house.place()
    path = await house.link()
    answer = await house.post(f"{path}/message", {"key": str(uuid4()), "text": text})
    assert answer.status == status
    assert status == 303 or "x" not in text or text in answer.text


async def test_a_request_to_cancel_reaches_the_staff_and_shows_its_state(house: House) -> None:
    order = await house.place()
    path = await house.link()
    shown = await house.get(f"{path}/cancel")
    assert "Rien n’a été payé" in shown.text
    form = {**shown.forms[f"{path}/cancel"], "comment": "Commandé deux fois."}
    sent = await house.post(f"{path}/cancel?lang=fr", form)
    (request,) = [m for _, m in house.notifier.emitted() if isinstance(m, CancellationRequested)]
    assert (sent.status, request.order_id, request.comment) == (303, order.order_id, "Commandé deux fois.")
    on_its_way = await house.get(sent.response.headers["location"])
    assert "Votre demande est envoyée." in on_its_way.text
    assert f"{path}/cancel?lang=fr" not in on_its_way.links
    await house.orders.deliver(request)
    page = await house.get(path)
    assert "Vous avez demandé l’annulation" in page.text
    assert f"{path}/cancel?lang=fr" not in page.links
    assert (await house.post(f"{path}/cancel", {"key": str(uuid4())})).status == 409
    async with house.orders.hub.unit() as unit:
        await decline(unit, SHOP, order.order_id, "Déjà gravée.", "camille.durand")
    page = await house.get(path)
    assert "Déjà gravée." in page.text
    assert "camille" not in page.text


async def test_a_request_after_the_cut_off_is_refused_with_the_rule(house: House) -> None:
    merchant = Merchant(house.orders, await house.place())
    path = await house.link()
    form = (await house.get(f"{path}/cancel")).forms[f"{path}/cancel"]
    await house.orders.deliver(packed(merchant), sender="fulfillment")
    late = await house.post(f"{path}/cancel", form)
    assert late.status == 409
    assert "ne peut plus être annulée ici" in late.text
    assert "jusqu’à son emballage" in late.text
    assert not [m for _, m in house.notifier.emitted() if isinstance(m, CancellationRequested)]


async def test_while_orders_is_down_the_conversation_still_works(house: House) -> None:
    await house.place()
    path = await house.link()
    await house.orders_stop()
    page = await house.get(path)
    assert page.status == 200
    assert "ne peut pas être affichée pour le moment" in page.text
    sent = await house.post(f"{path}/message", {"key": str(uuid4()), "text": "Toujours là ?"})
    assert sent.status == 303
    assert "Toujours là ?" in (await house.get(path)).text
    refused = await house.post(f"{path}/cancel", {"key": str(uuid4())})
    assert refused.status == 503


async def a_file(house: House, order: OrderPlaced, name: str, state: str = "kept") -> UUID:
    """A file that came with a mail of the order's customer."""
    mail, file = uuid4(), uuid4()
    await house.notifier.fetch(
        """WITH t AS (INSERT INTO thread VALUES ($1, $2, 1, 'waiting_staff', 1, now(), NULL, '', '{}')
                      ON CONFLICT DO NOTHING),
           m AS (INSERT INTO inbound_mail (inbound_id, shop, received_at, envelope_from, envelope_to, digest, size, raw)
                 VALUES ($3, $1, now(), 'zoe@example.org', 'r-x', $5, 1, 'x'))
           INSERT INTO attachment
           VALUES ($4, $3, 1, $1, $6, 'text/html', 25, $5, $7, '<script>alert(1)</script>')""",
        order.shop,
        order.order_id,
        mail,
        file,
        mail.bytes,
        name,
        state,
    )
    await house.notifier.fetch(
        """INSERT INTO message VALUES ($1, $2, $3, 'customer', 'Zoé', NULL, 'mail', now(), NULL, NULL,
               '[{"kind": "shown", "text": "Voici la photo"}]', false, 'none', $4)""",
        order.shop,
        uuid4(),
        order.order_id,
        mail,
    )
    return file


async def test_a_file_of_the_conversation_is_downloaded_with_its_own_link_only(house: House) -> None:
    order = await house.place()
    path = await house.link()
    file = await a_file(house, order, "photo été.html")
    blocked = await a_file(house, order, "macro.doc", "blocked")
    other = await house.place(customer={"name": "Paul Roux", "email": "paul@example.org"})
    foreign = await a_file(house, other, "autre.txt")
    page = await house.get(path)
    assert f"{path}/files/{file}?lang=fr" in page.links
    assert f"{path}/files/{blocked}?lang=fr" not in page.links
    assert "photo été.html (25 octets)" in page.text
    assert re.search(r"macro\.doc \(25 octets\)</bdi> <span[^>]*>ne peut pas être téléchargé ici", page.text)
    await house.notifier.fetch("UPDATE attachment SET state = 'omitted', size = 2400000")
    await house.notifier.fetch('UPDATE message SET segments = \'[{"kind": "shown", "text": ""}]\'')
    await house.notifier.fetch("UPDATE inbound_mail SET is_whole = false")
    page = await house.get(path)
    for text in ("macro.doc (2,4 Mo)", "n’a pas été conservé", "(sans texte)", "n’a pas pu être lue"):
        assert text in page.text
    await house.notifier.fetch("UPDATE attachment SET state = 'kept' WHERE attachment_id <> $1", blocked)
    answer = await house.get(f"{path}/files/{file}")
    headers = answer.response.headers
    assert (answer.status, headers["x-content-type-options"]) == (200, "nosniff")
    assert headers["content-disposition"].startswith("attachment; ")
    assert "sandbox" in headers["content-security-policy"]
    assert {(await house.get(f"{path}/files/{one}")).status for one in (blocked, foreign, uuid4(), "x")} == {
        404
    }
