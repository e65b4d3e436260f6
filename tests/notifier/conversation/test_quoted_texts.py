"""A shop's own text is ours as well: quoted in an answer it folds."""

import pytest

from contracts.notifier.mail_texts import SetTemplate, TextPart
from tests.conftest import Desks
from tests.notifier.builders import an_order
from tests.notifier.conversation.builders import reply_address
from tests.notifier.conversation.receiving import a_receiver, a_receiving_desk, an_answer, hand_over, read_all
from tests.notifier.conversation.test_receiving import messages, with_addresses

pytestmark = pytest.mark.rows("B17", "C23")
INTRO = "Chère {{ customer_name }},\n\nvotre commande nous fait grand plaisir."
ANSWER = "Merci !\n\n> Chère Zoé Lefèvre,\n>\n> votre commande nous fait grand plaisir.\n"


async def test_a_text_of_the_shops_own_folds_when_it_is_quoted(desks: Desks) -> None:
    desk, order = await a_receiving_desk(desks), an_order()
    own = SetTemplate(
        shop=order.shop,
        template="order_recap",
        locale="fr",
        part=TextPart.INTRO,
        text=INTRO,
        based_on_version=0,
        actor="garance@atelier.example",
    )
    await desk.deliver(own, sender="orders")
    await desk.deliver(order)
    await with_addresses(desk)
    async with a_receiver(desk) as port:
        await hand_over(port, an_answer(ANSWER), reply_address(order))
        await read_all(desk)
    assert await messages(desk, order) == [("customer", "Merci !", False)]
